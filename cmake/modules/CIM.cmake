# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Thin wrappers so that a folder's CMakeLists.txt is a list of its files.

# cim_tablegen(TARGET FILE.td GENERATED.inc tblgen-args... ...)
# Runs mlir-tblgen once per "OUTPUT args" pair given after OUTPUTS, separated
# by ';' inside one quoted string: "Ops.h.inc -gen-op-decls".
function(cim_tablegen target td)
  cmake_parse_arguments(ARG "" "" "OUTPUTS" ${ARGN})
  set(LLVM_TARGET_DEFINITIONS ${td})
  foreach(output IN LISTS ARG_OUTPUTS)
    separate_arguments(words NATIVE_COMMAND "${output}")
    list(POP_FRONT words file)
    mlir_tablegen(${file} ${words})
  endforeach()
  add_public_tablegen_target(${target})
  add_dependencies(cim-headers ${target})
  set_property(GLOBAL APPEND PROPERTY CIM_TABLEGEN_TARGETS ${target})
endfunction()

# cim_add_library(NAME sources... [LINK_LIBS ours...] [MLIR_LIBS MLIR...] [PLAIN])
# A static library of the compiler. MLIR comes from libMLIR.so. PLAIN leaves
# out the precompiled MLIR headers (for files that include none of them).
function(cim_add_library name)
  cmake_parse_arguments(ARG "PLAIN" "" "LINK_LIBS;PRIVATE_LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK_LIBS} PRIVATE ${ARG_PRIVATE_LIBS})
  target_link_libraries(${name} PUBLIC MLIR LLVM)
  add_dependencies(${name} cim-headers)
  if(NOT ARG_PLAIN)
    target_compile_options(${name} PRIVATE ${CIM_LLVM_COMPILE_OPTIONS})
    target_precompile_headers(${name} REUSE_FROM CIMPrecompiled)
  endif()
  set_property(GLOBAL APPEND PROPERTY CIM_COMPILER_LIBS ${name})
endfunction()

# cim_add_test_tool(NAME sources... [LINK_LIBS ...])
# A program on the compiler's libraries that is not installed.
function(cim_add_test_tool name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS} MLIR LLVM)
  # -fPIC like the libraries, not -fPIE: the precompiled headers are theirs.
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE ${CIM_LLVM_COMPILE_OPTIONS} -fPIC)
  target_precompile_headers(${name} REUSE_FROM CIMPrecompiled)
  add_dependencies(${name} cim-headers)
  # libMLIR.so is not where the loader looks.
  set_target_properties(${name} PROPERTIES INSTALL_RPATH "$ORIGIN/../lib;${LLVM_LIBRARY_DIR}")
endfunction()

# cim_add_tool(NAME sources... [LINK_LIBS ...])
function(cim_add_tool name)
  cim_add_test_tool(${name} ${ARGN})
  install(TARGETS ${name} RUNTIME DESTINATION bin COMPONENT tools)
endfunction()

# cim_add_unittest(NAME sources... [LINK_LIBS ...])
# One GoogleTest program, run by the check-cim target through ctest.
function(cim_add_unittest name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS} GTest::gtest GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/unittests)
  add_test(NAME ${name} COMMAND ${name})
  set_property(GLOBAL APPEND PROPERTY CIM_UNITTESTS ${name})
endfunction()
