# The module that reads and writes Parquet: libponder_parquet.so beside the program, which loads it
# when it meets such a file. Arrow's libraries and headers are those of the pyarrow wheel that
# tools/setup.sh puts into build/arrow, as Debian has none.
option(PONDER_PARQUET "Build the Parquet module where Arrow is found" ON)
set(PONDER_ARROW ${CMAKE_SOURCE_DIR}/build/arrow/pyarrow CACHE PATH "Folder with Arrow's libraries and include/")

file(GLOB arrow_library CONFIGURE_DEPENDS ${PONDER_ARROW}/libarrow.so.*)
file(GLOB parquet_library CONFIGURE_DEPENDS ${PONDER_ARROW}/libparquet.so.*)
if(NOT PONDER_PARQUET OR NOT arrow_library OR NOT parquet_library)
  message(STATUS "Without Parquet: no Arrow in ${PONDER_ARROW}")
  return()
endif()

file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/data/parquet/arrow/*.cpp)
add_library(ponder_parquet MODULE ${sources})
target_include_directories(ponder_parquet SYSTEM PRIVATE ${PONDER_ARROW}/include)
target_link_libraries(ponder_parquet PRIVATE ponder_data ${parquet_library} ${arrow_library})
set_target_properties(ponder_parquet PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR} BUILD_RPATH ${PONDER_ARROW})
# Whoever loads it finds it built.
foreach(target ponder data_test)
  if(TARGET ${target})
    add_dependencies(${target} ponder_parquet)
  endif()
endforeach()
