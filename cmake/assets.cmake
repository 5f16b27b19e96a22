# The dashboard inside the binary: web/ is bundled by npm into web/dist, its files become
# one C file with the table show_assets (src/show/assets.h).
option(VD_DASHBOARD "bundle the dashboard into the binary (needs node and npm)" ON)

set(WEB_DIR ${PROJECT_SOURCE_DIR}/web)
set(WEB_DIST ${WEB_DIR}/dist)
set(WEB_FILES index.html app.js app.css favicon.svg)
set(SHOW_ASSETS_C ${CMAKE_BINARY_DIR}/show_assets.c)

if(VD_DASHBOARD)
    find_program(NPM npm)
    find_program(FLOCK flock)
    find_program(GZIP gzip)
    if(NOT NPM OR NOT FLOCK OR NOT GZIP)
        message(FATAL_ERROR "npm, flock and gzip are needed to build the dashboard: run "
            "scripts/deps.sh run, or configure with -DVD_DASHBOARD=OFF")
    endif()
    file(GLOB_RECURSE WEB_SOURCES CONFIGURE_DEPENDS ${WEB_DIR}/src/*)
    list(TRANSFORM WEB_FILES PREPEND ${WEB_DIST}/ OUTPUT_VARIABLE WEB_OUTPUTS)
    set(REPORT_FILES report.html)
    list(APPEND WEB_OUTPUTS ${WEB_DIST}/report.html)
    # All build folders share web/node_modules and web/dist: one at a time.
    add_custom_command(OUTPUT ${WEB_DIR}/node_modules/.package-lock.json
        COMMAND ${FLOCK} ${WEB_DIR}/package.json ${NPM} ci --no-audit --no-fund --loglevel=error
        DEPENDS ${WEB_DIR}/package.json ${WEB_DIR}/package-lock.json
        WORKING_DIRECTORY ${WEB_DIR} COMMENT "Fetching the dashboard's libraries" VERBATIM)
    add_custom_command(OUTPUT ${WEB_OUTPUTS}
        COMMAND ${FLOCK} ${WEB_DIR}/package.json ${NPM} run --silent build
        DEPENDS ${WEB_SOURCES} ${WEB_DIR}/build.mjs ${WEB_DIR}/tsconfig.json
            ${WEB_DIR}/node_modules/.package-lock.json
        WORKING_DIRECTORY ${WEB_DIR} COMMENT "Bundling the dashboard" VERBATIM)
else()
    set(WEB_FILES "")
    set(REPORT_FILES "")
    set(WEB_OUTPUTS "")
endif()

add_custom_command(OUTPUT ${SHOW_ASSETS_C}
    COMMAND ${CMAKE_COMMAND} -DNAME=show_assets -DHEADER=show/assets.h -DDIST=${WEB_DIST}
        "-DFILES=${WEB_FILES}" -DGZIP=${GZIP} -DOUT=${SHOW_ASSETS_C}
        -P ${CMAKE_CURRENT_LIST_DIR}/embed.cmake
    DEPENDS ${WEB_OUTPUTS} ${CMAKE_CURRENT_LIST_DIR}/embed.cmake
    COMMENT "Embedding the dashboard" VERBATIM)

# The page of `vedette detect --report` (src/batch/report_page.h), as it is: it is written,
# not sent.
set(REPORT_PAGE_C ${CMAKE_BINARY_DIR}/report_page.c)
add_custom_command(OUTPUT ${REPORT_PAGE_C}
    COMMAND ${CMAKE_COMMAND} -DNAME=batch_report_page -DHEADER=batch/report_page.h
        -DDIST=${WEB_DIST} "-DFILES=${REPORT_FILES}" -DOUT=${REPORT_PAGE_C}
        -P ${CMAKE_CURRENT_LIST_DIR}/embed.cmake
    DEPENDS ${WEB_OUTPUTS} ${CMAKE_CURRENT_LIST_DIR}/embed.cmake
    COMMENT "Embedding the report" VERBATIM)

# The same for the templates of plots and report (src/plot/templates.h), which are few and
# short: as they are.
set(TEMPLATE_DIR ${PROJECT_SOURCE_DIR}/src/plot/templates)
set(PLOT_TEMPLATES_C ${CMAKE_BINARY_DIR}/plot_templates.c)
file(GLOB TEMPLATES CONFIGURE_DEPENDS ${TEMPLATE_DIR}/*)
set(TEMPLATE_FILES "")
foreach(file IN LISTS TEMPLATES)
    get_filename_component(name ${file} NAME)
    list(APPEND TEMPLATE_FILES ${name})
endforeach()
add_custom_command(OUTPUT ${PLOT_TEMPLATES_C}
    COMMAND ${CMAKE_COMMAND} -DNAME=plot_templates -DHEADER=plot/templates.h
        -DDIST=${TEMPLATE_DIR} "-DFILES=${TEMPLATE_FILES}" -DOUT=${PLOT_TEMPLATES_C}
        -P ${CMAKE_CURRENT_LIST_DIR}/embed.cmake
    DEPENDS ${TEMPLATES} ${CMAKE_CURRENT_LIST_DIR}/embed.cmake
    COMMENT "Embedding the templates" VERBATIM)
