# cmake -DNAME=show_assets -DHEADER=show/assets.h -DDIST=folder -DFILES=a;b -DGZIP=gzip
#     -DOUT=file.c -P embed.cmake
# Writes the files as the C function NAME, which the header declares: it gives a table of
# struct os_asset. Without GZIP they stay as they are.
set(types_html "text/html; charset=utf-8")
set(types_js "text/javascript; charset=utf-8")
set(types_css "text/css; charset=utf-8")
set(types_svg "image/svg+xml")
set(types_gp "text/plain; charset=utf-8")

set(arrays "")
set(rows "")
set(n 0)
foreach(name IN LISTS FILES)
    set(packed ${DIST}/${name})
    set(is_packed false)
    if(GZIP)
        set(packed ${OUT}.${n}.gz)
        set(is_packed true)
        execute_process(COMMAND ${GZIP} -9 -n -c ${DIST}/${name} OUTPUT_FILE ${packed}
            COMMAND_ERROR_IS_FATAL ANY)
    endif()
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
        "    {\"/${name}\", \"${types_${extension}}\", \"${etag}\", bytes_${n}, ${size}, ${is_packed}},\n")
    file(REMOVE ${OUT}.${n}.gz)
    math(EXPR n "${n} + 1")
endforeach()
# An array may not be empty: the last row is not counted.
file(WRITE ${OUT} "/* Made by cmake/embed.cmake. */
#include \"${HEADER}\"

${arrays}static const struct os_asset table[] = {
${rows}    {0},
};

const struct os_asset *${NAME}(size_t *n)
{
    *n = ${n};
    return table;
}
")
