# Puts models/tiny-r1.gguf into the program, byte for byte.
function(ponder_embed_model module)
  set(model ${CMAKE_SOURCE_DIR}/models/tiny-r1.gguf)
  set(made ${CMAKE_BINARY_DIR}/builtin_model_data.cpp)
  file(CONFIGURE OUTPUT ${made} CONTENT [[
asm(R"(
  .section .rodata
  .balign 64
  .global ponder_builtin_model
  .global ponder_builtin_model_end
ponder_builtin_model:
  .incbin "@model@"
ponder_builtin_model_end:
  .byte 0
  .previous
)");
]] @ONLY)
  set_source_files_properties(${made} PROPERTIES OBJECT_DEPENDS ${model})
  target_sources(ponder_${module} PRIVATE ${made})
endfunction()
