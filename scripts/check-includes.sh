#!/usr/bin/env bash
# The include rule: lib/ includes only lib/ and include/, and no family of detectors another
# one; a room of src/ sees those that the table below names; what lies in src/cmd is a
# command or machinery that is listed; every public header compiles alone, as C and C++.
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

# includes_of_any_kind FILE: those of the system, too.
includes_of_any_kind() {
    sed -n 's/^ *# *include *[<"]\([^>"]*\)[>"].*/\1/p' "$1"
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

# What a room of src/ sees beside itself, the vocabulary (record.h, history.h, metrics.h) and the
# public headers. Each sees what stands below it, never above; stages and store never see
# each other. A host sees the stages that it leads a sample through, and of the system only
# its log and clocks; src/monitor and src/cmd join them all.
declare -A sees=(
    [os]='' [format]='os' [net]='os' [burn]='os'
    [collect]='format net os' [feature]='format net os' [detect]='format net os'
    [explain]='format net os' [alert]='format net os' [show]='format net os'
    [plot]='format net os' [store]='format net os'
    [batch]='detect explain plot store format net os'
    [recording]='collect feature detect burn format net os'
    [host]='feature detect explain alert os'
)

for folder in src/*/; do
    room=$(basename "$folder")
    [ "$room" = cmd ] || [ "$room" = monitor ] && continue
    if [ -z "${sees[$room]+known}" ]; then
        complain "src/$room is no room that scripts/check-includes.sh knows"
        continue
    fi
    while read -r file; do
        for name in $(includes "$file"); do
            case " $room ${sees[$room]} vedette " in *" ${name%%/*} "*) continue ;; esac
            case $name in record.h | history.h | metrics.h) continue ;; esac
            [ "${name#*/}" = "$name" ] && [ -e "src/$room/$name" ] && continue
            complain "$file includes $name, which src/$room does not see"
        done
    done < <(git ls-files --cached --others --exclude-standard "src/$room/*.[ch]")
done

# A host is told what its source and its monitor know; it has no loop, thread, file or socket.
while read -r file; do
    for name in $(includes_of_any_kind "$file"); do
        case $name in
            os/log.h | os/clock.h | os/believed.h) ;;
            os/* | uv.h | pthread.h | unistd.h | fcntl.h | sys/* | alert/channels.h)
                complain "$file includes $name: a host has no loop, thread, file or socket" ;;
        esac
    done
done < <(git ls-files --cached --others --exclude-standard 'src/host/*.[ch]')

# Nothing below the command line sees it: only src/main.c joins it.
while read -r file; do
    for name in $(includes "$file"); do
        case $name in cmd/*) complain "$file includes $name, of the command line" ;; esac
    done
done < <(git ls-files --cached --others --exclude-standard 'src/monitor/*.[ch]' \
    'src/record.[ch]' 'src/history.[ch]' 'src/metrics.[ch]')

# A .c of src/cmd is a command, or machinery of the command line that is named here.
machinery=(commands commands_parse config_example config_rule data_dir detect_text event_text
    events_follow fit_options generate_rows help_man json_out local_api monitor_options monitor_plan
    root
    sheet source table_options when)
while read -r file; do
    [ -e "$file" ] || continue
    grep -q '^const struct cmd_command cmd_' "$file" && continue
    case " ${machinery[*]} " in
        *" $(basename "$file" .c) "*) ;;
        *) complain "$file is no command, and not on the list of the machinery" ;;
    esac
done < <(git ls-files --cached --others --exclude-standard 'src/cmd/*.c')
for name in "${machinery[@]}"; do
    [ -e "src/cmd/$name.c" ] || complain "src/cmd/$name.c, on the list, is not there"
done

for header in include/vedette/*.h; do
    cc -std=c17 -Wall -Wextra -Werror -pedantic -Iinclude -fsyntax-only -x c "$header" ||
        complain "$header does not compile alone as C"
    c++ -std=c++17 -Wall -Wextra -Werror -Iinclude -fsyntax-only -x c++ "$header" ||
        complain "$header does not compile alone as C++"
done
exit $failed
