# The shared library, and what `cmake --install` puts where. The prefix may be chosen when
# installing, so nothing that names it is made before.
add_library(vedette_shared SHARED $<TARGET_OBJECTS:vedette_lib>)
set_target_properties(vedette_shared PROPERTIES OUTPUT_NAME vedette LINKER_LANGUAGE C
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
    LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/vedette.map)
target_link_libraries(vedette_shared PRIVATE Threads::Threads m ${VD_LIB_PARTS})
target_link_options(vedette_shared PRIVATE
    -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/vedette.map)

# Manual pages, completions and docs/options.md come from the program's own tables.
set(DOCUMENTS ${CMAKE_BINARY_DIR}/documents)
add_custom_command(OUTPUT ${DOCUMENTS}/stamp
    COMMAND ${PROJECT_SOURCE_DIR}/scripts/documents.sh $<TARGET_FILE:vedette> ${DOCUMENTS}
    DEPENDS vedette ${PROJECT_SOURCE_DIR}/scripts/documents.sh
    COMMENT "Writing the manual pages" VERBATIM)
if(NOT VD_SANITIZE)
    add_custom_target(documents ALL DEPENDS ${DOCUMENTS}/stamp)
endif()

install(TARGETS vedette vedette_lib vedette_shared)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/vedette TYPE INCLUDE
    FILES_MATCHING PATTERN "*.h")
install(DIRECTORY ${DOCUMENTS}/man1 TYPE MAN OPTIONAL)
install(FILES ${DOCUMENTS}/vedette.bash RENAME vedette OPTIONAL
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${DOCUMENTS}/vedette.zsh RENAME _vedette OPTIONAL
    DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${DOCUMENTS}/vedette.fish OPTIONAL
    DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES ${DOCUMENTS}/options.md ${DOCUMENTS}/vedette.yaml OPTIONAL TYPE DOC)

set(VD_PC_PRIVATE "")
if(TARGET part_svm)
    set(VD_PC_PRIVATE "-lsvm ")
endif()
configure_file(cmake/vedette.pc.in ${CMAKE_BINARY_DIR}/vedette.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/vedette.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# The unit names the program's folder, which is known only now.
install(CODE "set(VD_UNIT_IN \"${PROJECT_SOURCE_DIR}/packaging/vedette.service.in\")
set(VD_BINDIR \"${CMAKE_INSTALL_BINDIR}\")")
install(CODE [[
    set(unit "${CMAKE_INSTALL_PREFIX}/lib/systemd/system/vedette.service")
    set(VD_PROGRAM "${CMAKE_INSTALL_PREFIX}/${VD_BINDIR}/vedette")
    configure_file(${VD_UNIT_IN} "$ENV{DESTDIR}${unit}" @ONLY)
    message(STATUS "Installing: $ENV{DESTDIR}${unit}")
    list(APPEND CMAKE_INSTALL_MANIFEST_FILES "${unit}")
]])
