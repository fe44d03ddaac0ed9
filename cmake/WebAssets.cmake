# Puts the pages of web/, and the scripts, styles and fonts of Debian packages that web/vendor.txt
# names, into a module: tools/embed_assets.cpp writes them as one C++ file.
find_package(ZLIB REQUIRED)

function(ponder_embed_web module)
  set(web ${CMAKE_SOURCE_DIR}/web)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${web}/vendor.txt)
  set(manifest "")
  set(files "")

  file(GLOB_RECURSE own CONFIGURE_DEPENDS ${web}/*.html ${web}/*.css ${web}/*.js ${web}/*.svg)
  foreach(file IN LISTS own)
    file(RELATIVE_PATH name ${web} ${file})
    set(path /assets/${name})
    if(name STREQUAL "index.html")
      set(path /)
    elseif(name MATCHES "^([a-z]+)\\.html$")
      set(path /${CMAKE_MATCH_1})
    endif()
    string(APPEND manifest "${path} ${file}\n")
    list(APPEND files ${file})
  endforeach()

  file(STRINGS ${web}/vendor.txt lines REGEX "^[^#]")
  foreach(line IN LISTS lines)
    separate_arguments(fields UNIX_COMMAND "${line}")
    list(GET fields 0 name)
    list(GET fields 1 package)
    list(GET fields 2 file)
    if(NOT EXISTS ${file})
      message(FATAL_ERROR "${file} of the Debian package ${package} is missing: run tools/setup.sh build")
    endif()
    string(APPEND manifest "/assets/vendor/${name} ${file}\n")
    list(APPEND files ${file})
  endforeach()

  set(made ${CMAKE_BINARY_DIR}/web)
  file(MAKE_DIRECTORY ${made})
  file(CONFIGURE OUTPUT ${made}/manifest.txt CONTENT "${manifest}")
  add_executable(embed_assets ${CMAKE_SOURCE_DIR}/tools/embed_assets.cpp)
  target_link_libraries(embed_assets PRIVATE ZLIB::ZLIB)
  add_custom_command(
    OUTPUT ${made}/web_assets_data.cpp
    COMMAND embed_assets ${made}/web_assets_data.cpp ${web}/headers.txt ${made}/manifest.txt
    DEPENDS embed_assets ${web}/headers.txt ${made}/manifest.txt ${files}
    COMMENT "Embedding web/")
  target_sources(ponder_${module} PRIVATE ${made}/web_assets_data.cpp)
  if(TARGET ${module}_test)
    target_link_libraries(${module}_test PRIVATE ZLIB::ZLIB)
  endif()
endfunction()
