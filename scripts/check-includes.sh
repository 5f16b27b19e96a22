#!/usr/bin/env bash
# The include rule: lib/ includes only lib/ and include/, and no family of detectors another
# one; the stages of src/ never include each other, only src/pipeline.c and src/cmd join
# them; every part may read texts by src/format, which sees none of them; every public
# header compiles alone, as C and as C++.
set -euo pipefail
cd "$(dirname "$0")/.."
failed=0

complain() {
    echo "include rule: $*"
    failed=1
}

# includes FILE: the names in its #include "..." lines.
includes() {
    sed -n 's/^ *# *include *"\([^"]*\)".*/\1/p' "$1"
}

while read -r file; do
    for name in $(includes "$file"); do
        [ -e "lib/$name" ] || [ -e "include/$name" ] || [ -e "$(dirname "$file")/$name" ] ||
            complain "$file includes $name, which is not of the library"
    done
done < <(git ls-files --cached --others --exclude-standard 'lib/*.[ch]' 'include/*.h')

# A family of detectors sees what all share in lib/detect/*.h, never another family.
for family in tree distance agent ensemble; do
    while read -r file; do
        for name in $(includes "$file"); do
            case $name in
                "detect/$family"/*) ;;
                detect/*/*) complain "$file includes $name, of another family" ;;
            esac
        done
    done < <(git ls-files --cached --others --exclude-standard "lib/detect/$family/*.[ch]")
done

stages='collect feature detect explain alert store show plot burn'
for stage in $stages; do
    [ -d "src/$stage" ] || continue
    while read -r file; do
        for name in $(includes "$file"); do
            case $name in
                "$stage"/* | format/* | os/* | vedette/* | record.h | history.h) ;;
                */*) complain "$file includes $name, of another part" ;;
                *) [ -e "src/$stage/$name" ] || complain "$file includes $name" ;;
            esac
        done
    done < <(git ls-files --cached --others --exclude-standard "src/$stage/*.[ch]")
done
while read -r file; do
    for name in $(includes "$file"); do
        case $name in
            format/* | os/* | vedette/* | record.h) ;;
            *) complain "$file includes $name, not of format, os or the vocabulary" ;;
        esac
    done
done < <(git ls-files --cached --others --exclude-standard 'src/format/*.[ch]')
while read -r file; do
    for name in $(includes "$file"); do
        case $name in
            os/* | vedette/* | record.h) ;;
            *) complain "$file includes $name" ;;
        esac
    done
done < <(git ls-files --cached --others --exclude-standard 'src/os/*.[ch]')

for header in include/vedette/*.h; do
    cc -std=c17 -Wall -Wextra -Werror -pedantic -Iinclude -fsyntax-only -x c "$header" ||
        complain "$header does not compile alone as C"
    c++ -std=c++17 -Wall -Wextra -Werror -Iinclude -fsyntax-only -x c++ "$header" ||
        complain "$header does not compile alone as C++"
done
exit $failed
