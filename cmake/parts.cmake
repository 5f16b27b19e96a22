# The libraries. A required one stops the configuration with its name; an optional one that
# is missing (or VD_MINIMAL) has its file NAME.c left out and NAME_missing.c, which keeps the
# row of the table with the reason, built instead.
find_package(PkgConfig REQUIRED)
option(VD_MINIMAL "build without the optional parts" OFF)

set(VD_LIB_PARTS "")
set(VD_PROGRAM_PARTS "")
set(VD_MISSING_FILES "")

# vd_require(LIST module): a pkg-config module that every build needs.
macro(vd_require LIST MODULE)
    pkg_check_modules(PART_${MODULE} REQUIRED IMPORTED_TARGET ${MODULE})
    list(APPEND ${LIST} PkgConfig::PART_${MODULE})
endmacro()

# vd_optional(LIST module file...): with the module the files are built, without it their
# _missing sisters.
macro(vd_optional LIST MODULE)
    if(NOT VD_MINIMAL)
        pkg_check_modules(PART_${MODULE} IMPORTED_TARGET ${MODULE})
    endif()
    if(PART_${MODULE}_FOUND AND NOT VD_MINIMAL)
        list(APPEND ${LIST} PkgConfig::PART_${MODULE})
    else()
        list(APPEND VD_MISSING_FILES ${ARGN})
        message(STATUS "built without ${MODULE}: ${ARGN}")
    endif()
endmacro()

# vd_optional_loaded(module file...): the same for a library that is loaded when it is first
# needed (dlopen): its headers decide, nothing is linked.
macro(vd_optional_loaded MODULE)
    if(NOT VD_MINIMAL)
        pkg_check_modules(PART_${MODULE} ${MODULE})
    endif()
    if(PART_${MODULE}_FOUND AND NOT VD_MINIMAL)
        include_directories(SYSTEM ${PART_${MODULE}_INCLUDE_DIRS})
    else()
        list(APPEND VD_MISSING_FILES ${ARGN})
        message(STATUS "built without ${MODULE}: ${ARGN}")
    endif()
endmacro()

# vd_optional_library(LIST name header file...): the same for a library without a pkg-config
# module, found by its name and a header.
macro(vd_optional_library LIST NAME HEADER)
    if(NOT VD_MINIMAL)
        find_path(PART_${NAME}_INCLUDE ${HEADER})
        find_library(PART_${NAME}_LIBRARY ${NAME})
    endif()
    if(PART_${NAME}_INCLUDE AND PART_${NAME}_LIBRARY AND NOT VD_MINIMAL)
        add_library(part_${NAME} INTERFACE IMPORTED)
        target_include_directories(part_${NAME} INTERFACE ${PART_${NAME}_INCLUDE})
        target_link_libraries(part_${NAME} INTERFACE ${PART_${NAME}_LIBRARY})
        list(APPEND ${LIST} part_${NAME})
    else()
        list(APPEND VD_MISSING_FILES ${ARGN})
        message(STATUS "built without ${NAME}: ${ARGN}")
    endif()
endmacro()

# Files of missing parts leave the list SOURCES, their _missing sisters stay in it.
function(vd_leave_out_missing_parts SOURCES)
    set(kept "")
    foreach(file IN LISTS ${SOURCES})
        get_filename_component(stem ${file} NAME_WE)
        string(REGEX REPLACE "_missing$" "" part ${stem})
        if(part IN_LIST VD_MISSING_FILES AND stem MATCHES "_missing$")
            list(APPEND kept ${file})
        elseif(NOT part IN_LIST VD_MISSING_FILES AND NOT stem MATCHES "_missing$")
            list(APPEND kept ${file})
        endif()
    endforeach()
    set(${SOURCES} ${kept} PARENT_SCOPE)
endfunction()

vd_require(VD_PROGRAM_PARTS libuv)
vd_require(VD_PROGRAM_PARTS jansson)
vd_require(VD_PROGRAM_PARTS yaml-0.1)
vd_require(VD_PROGRAM_PARTS sqlite3)
vd_require(VD_PROGRAM_PARTS zlib)
vd_optional(VD_PROGRAM_PARTS libseccomp seccomp)
vd_optional(VD_PROGRAM_PARTS libzstd zstd)
vd_optional_loaded(libcurl webhook)
list(APPEND VD_PROGRAM_PARTS ${CMAKE_DL_LIBS})

vd_require(VD_LIB_PARTS jansson)
list(APPEND VD_LIB_PARTS ${CMAKE_DL_LIBS})
vd_optional_library(VD_LIB_PARTS svm libsvm/svm.h one_class_svm)
