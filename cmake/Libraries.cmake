# The libraries that modules use, each linked where it is used. All are Debian packages.
find_package(Threads REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(spdlog REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Boost 1.74 REQUIRED)
pkg_check_modules(EDIT REQUIRED IMPORTED_TARGET libedit)
find_path(TOMLPLUSPLUS toml++/toml.h REQUIRED)  # headers only
find_library(UTF8PROC utf8proc REQUIRED)

# A module without sources yet is an INTERFACE library.
function(ponder_link module)
  get_target_property(type ponder_${module} TYPE)
  if(NOT type STREQUAL "INTERFACE_LIBRARY")
    target_link_libraries(ponder_${module} PUBLIC ${ARGN})
  endif()
endfunction()

ponder_link(base Threads::Threads)
ponder_link(io nlohmann_json::nlohmann_json Boost::headers OpenSSL::SSL OpenSSL::Crypto)
ponder_link(text ${UTF8PROC})
ponder_link(cli CLI11::CLI11 spdlog::spdlog PkgConfig::EDIT)

# src/testing: tolerances, golden files and random input for tests and benchmarks only.
file(GLOB testing CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/testing/*.cpp)
ponder_set_isa_flags(${testing})
if(testing)
  add_library(ponder_testing STATIC ${testing})
  target_link_libraries(ponder_testing PUBLIC ponder_io)
else()
  add_library(ponder_testing INTERFACE)
endif()
