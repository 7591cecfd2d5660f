# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# cim_add_model(NAME MODEL x.onnx [TARGET imec-ania|t.yaml] [CALIBRATION c.npy]
#               [CELLS 2] [OPTIONS more cim-compile options...])
#
# Compiles an ONNX network at build time. NAME becomes an interface library: an
# application that links it gets the runtime and the macro CIM_MODEL_<NAME>, the
# path of the compiled network as a string. The target property
# CIM_MODEL_FILE of NAME is the same path, for install().
function(cim_add_model name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "MODEL;TARGET;CALIBRATION;CELLS" "OPTIONS")
  if(NOT name MATCHES "^[A-Za-z_][A-Za-z0-9_]*$")
    message(FATAL_ERROR "cim_add_model(${name}): expected a name of letters, digits and '_', "
                        "which becomes a part of a macro")
  endif()
  if(NOT ARG_MODEL)
    message(FATAL_ERROR "cim_add_model(${name}): MODEL names no ONNX file")
  endif()
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "cim_add_model(${name}): unknown arguments ${ARG_UNPARSED_ARGUMENTS}")
  endif()
  get_filename_component(model "${ARG_MODEL}" ABSOLUTE)
  set(depends "${model}")
  set(options ${ARG_OPTIONS})
  if(ARG_TARGET MATCHES "\\.ya?ml$")
    get_filename_component(ARG_TARGET "${ARG_TARGET}" ABSOLUTE)
    list(APPEND depends "${ARG_TARGET}")
  endif()
  if(ARG_TARGET)
    list(APPEND options "--target=${ARG_TARGET}")
  endif()
  if(ARG_CELLS)
    list(APPEND options --cells=${ARG_CELLS})
  endif()
  if(ARG_CALIBRATION)
    get_filename_component(calibration "${ARG_CALIBRATION}" ABSOLUTE)
    list(APPEND depends "${calibration}")
    list(APPEND options "--calibration=${calibration}")
  endif()

  set(file "${CMAKE_CURRENT_BINARY_DIR}/${name}.so")
  add_custom_command(
    OUTPUT "${file}"
    COMMAND ${CIM_COMPILE} "${model}" -o "${file}" ${options}
    DEPENDS ${depends} ${CIM_COMPILE}
    COMMENT "Compiling ${ARG_MODEL}"
    VERBATIM)
  add_custom_target(${name}-model DEPENDS "${file}")
  add_library(${name} INTERFACE)
  add_dependencies(${name} ${name}-model)
  target_link_libraries(${name} INTERFACE CIM::Runtime)
  target_compile_definitions(${name} INTERFACE "CIM_MODEL_${name}=\"${file}\"")
  set_target_properties(${name} PROPERTIES CIM_MODEL_FILE "${file}")
endfunction()
