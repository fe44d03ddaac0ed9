# suites/*.jsonl become part of the module (src/eval/suite_builtin.cpp), and the program that makes
# tests (src/eval/plus.cpp).
function(ponder_embed_suites module)
  set(folder ${CMAKE_SOURCE_DIR}/suites)
  set_source_files_properties(
    ${CMAKE_SOURCE_DIR}/src/${module}/suite_builtin.cpp PROPERTIES
    COMPILE_DEFINITIONS "PONDER_SUITES_FOLDER=\"${folder}\""
    OBJECT_DEPENDS "${folder}/cpp.jsonl")
  set(guest ${CMAKE_SOURCE_DIR}/src/${module}/guest)
  set_source_files_properties(
    ${CMAKE_SOURCE_DIR}/src/${module}/plus.cpp PROPERTIES
    COMPILE_DEFINITIONS "PONDER_EVAL_GUEST=\"${guest}\""
    OBJECT_DEPENDS "${guest}/plus.py")
endfunction()
