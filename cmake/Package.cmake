# The Debian package: `make deb`. Manual page and completions come from the program's own help.
set(made ${CMAKE_BINARY_DIR}/packaging)
set(packaging ${CMAKE_SOURCE_DIR}/packaging)
find_package(Python3 COMPONENTS Interpreter)
set(made_files ${made}/ponder.1.gz ${made}/ponder ${made}/_ponder ${made}/ponder.fish)
add_custom_command(OUTPUT ${made_files}
                   COMMAND ${Python3_EXECUTABLE} ${packaging}/from_help.py $<TARGET_FILE:ponder> ${made}
                   DEPENDS ponder ${packaging}/from_help.py)
add_custom_target(package_files DEPENDS ${made_files})

install(FILES ${made}/ponder.1.gz DESTINATION share/man/man1 OPTIONAL)
install(FILES ${made}/ponder DESTINATION share/bash-completion/completions OPTIONAL)
install(FILES ${made}/_ponder DESTINATION share/zsh/vendor-completions OPTIONAL)
install(FILES ${made}/ponder.fish DESTINATION share/fish/vendor_completions.d OPTIONAL)
install(FILES ${packaging}/ponder.service DESTINATION lib/systemd/system)
install(FILES ${packaging}/serve.toml DESTINATION /etc/ponder)
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION share/doc/ponder RENAME copyright)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ponder)
set(CPACK_PACKAGE_VENDOR "The Ponder authors")
set(CPACK_PACKAGE_CONTACT "The Ponder authors <ponder@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "runs and serves DeepSeek-R1-family models on CPUs")
set(CPACK_PACKAGE_DESCRIPTION "One program, from the model's file to the answer: on the command line, or over\
 HTTP with OpenAI's and Anthropic's interfaces and a chat page.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${packaging}/conffiles ${packaging}/postinst ${packaging}/prerm
                                       ${packaging}/postrm)
include(CPack)
