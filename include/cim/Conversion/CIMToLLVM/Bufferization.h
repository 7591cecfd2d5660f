// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How operators of the cim dialect turn from tensors into buffers.
#ifndef CIM_CONVERSION_CIMTOLLVM_BUFFERIZATION_H
#define CIM_CONVERSION_CIMTOLLVM_BUFFERIZATION_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace cim {

/// Adds the bufferisation of cim.stream to the dialect, when it is loaded.
void registerBufferization(mlir::DialectRegistry &registry);

} // namespace cim

#endif // CIM_CONVERSION_CIMTOLLVM_BUFFERIZATION_H
