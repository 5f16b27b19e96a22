# cmake -DDIST=folder -DFILES=a;b -DGZIP=gzip -DOUT=file.c -P embed.cmake
# Writes the files, gzipped, as the C table show_assets.
set(types_html "text/html; charset=utf-8")
set(types_js "text/javascript; charset=utf-8")
set(types_css "text/css; charset=utf-8")
set(types_svg "image/svg+xml")

set(arrays "")
set(rows "")
set(n 0)
foreach(name IN LISTS FILES)
    set(packed ${OUT}.${n}.gz)
    execute_process(COMMAND ${GZIP} -9 -n -c ${DIST}/${name} OUTPUT_FILE ${packed}
        COMMAND_ERROR_IS_FATAL ANY)
    file(READ ${packed} hex HEX)
    string(LENGTH "${hex}" length)
    math(EXPR size "${length} / 2")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(REGEX REPLACE "(................................................................................)" "\\1\n"
        bytes "${bytes}")
    file(MD5 ${DIST}/${name} etag)
    get_filename_component(extension ${name} LAST_EXT)
    string(SUBSTRING ${extension} 1 -1 extension)
    string(APPEND arrays "static const unsigned char bytes_${n}[] = {\n${bytes}};\n\n")
    string(APPEND rows
        "    {\"/${name}\", \"${types_${extension}}\", \"${etag}\", bytes_${n}, ${size}, true},\n")
    file(REMOVE ${packed})
    math(EXPR n "${n} + 1")
endforeach()
# An array may not be empty: the last row is not counted.
file(WRITE ${OUT} "/* Made by cmake/embed.cmake. */
#include \"show/assets.h\"

${arrays}static const struct show_asset table[] = {
${rows}    {0},
};

const struct show_asset *show_assets(size_t *n)
{
    *n = ${n};
    return table;
}
")
