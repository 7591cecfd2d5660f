# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# What `cmake --install` puts where, so that find_package(CIM) works.
include(CMakePackageConfigHelpers)

set(CIM_CMAKE_DIR lib/cmake/CIM)
set(CIM_BIN_DIR bin)
set_target_properties(CIMRuntime PROPERTIES EXPORT_NAME Runtime)
install(TARGETS CIMRuntime EXPORT CIMTargets LIBRARY DESTINATION lib)
install(DIRECTORY include/cim-c DESTINATION include)
install(EXPORT CIMTargets NAMESPACE CIM:: DESTINATION ${CIM_CMAKE_DIR})
configure_package_config_file(cmake/CIMConfig.cmake.in ${PROJECT_BINARY_DIR}/CIMConfig.cmake
  INSTALL_DESTINATION ${CIM_CMAKE_DIR} PATH_VARS CIM_BIN_DIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/CIMConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/CIMConfig.cmake
  ${PROJECT_BINARY_DIR}/CIMConfigVersion.cmake
  cmake/modules/CIMAddModel.cmake
  DESTINATION ${CIM_CMAKE_DIR})
