# The sandbox's helper, a static program, and the files that run beside a candidate: all become part
# of the judge module (src/judge/sandbox/embedded.cpp).
function(ponder_embed_sandbox module)
  set(folder ${CMAKE_SOURCE_DIR}/src/judge/sandbox)
  file(GLOB helper CONFIGURE_DEPENDS ${folder}/helper/*.cpp)
  add_executable(sandbox_helper ${helper})
  target_link_libraries(sandbox_helper PRIVATE ponder_includes)
  # Without sanitizers: it changes into a process that their runtime cannot follow.
  target_compile_options(sandbox_helper PRIVATE -Os -fno-exceptions -fno-rtti -fno-sanitize=all)
  target_link_options(sandbox_helper PRIVATE -static -s -fno-sanitize=all)
  set(program ${CMAKE_BINARY_DIR}/sandbox/sandbox_helper)
  set_target_properties(sandbox_helper PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/sandbox)

  file(GLOB guest CONFIGURE_DEPENDS ${folder}/guest/*)
  set_source_files_properties(
    ${folder}/embedded.cpp PROPERTIES
    COMPILE_DEFINITIONS "PONDER_SANDBOX_HELPER=\"${program}\";PONDER_SANDBOX_FOLDER=\"${folder}\""
    OBJECT_DEPENDS "${program};${guest};${folder}/self_test_programs.txt")
  add_dependencies(ponder_${module} sandbox_helper)
endfunction()
