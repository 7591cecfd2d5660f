// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls of the functions of cim_host (include/cim-c/model.h).
#ifndef CIM_LIB_CONVERSION_CIMTOLLVM_HOSTCALLS_H
#define CIM_LIB_CONVERSION_CIMTOLLVM_HOSTCALLS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"

namespace cim {

/// Fields of cim_host, numbered as in model.h.
enum class HostFunction { Stream = 2, Observe = 3, Conv2D = 4, MatMul = 5 };

/// Emits calls inside one function whose first argument is the cim_host.
class HostCalls {
public:
  HostCalls(mlir::func::FuncOp function) : function(function) {}

  /// host->FUNCTION(host, arguments...).
  void call(mlir::OpBuilder &builder, mlir::Location loc, HostFunction which,
            mlir::ValueRange arguments);

  /// The address of the first element of a dense memref.
  static mlir::Value pointer(mlir::OpBuilder &builder, mlir::Location loc,
                             mlir::Value buffer);

  static mlir::Value i32(mlir::OpBuilder &builder, mlir::Location loc,
                         int64_t value);
  static mlir::Value i64(mlir::OpBuilder &builder, mlir::Location loc,
                         int64_t value);

  /// The address of a private constant array of 32-bit integers.
  mlir::Value constants(mlir::OpBuilder &builder, mlir::Location loc,
                        llvm::ArrayRef<int32_t> values);

private:
  mlir::func::FuncOp function;
  unsigned globalCount = 0;
};

/// A buffer that is dense, for the time between construction and `release`.
class DenseBuffer {
public:
  /// `buffer` itself, or a dense copy; `isInput` copies it in.
  DenseBuffer(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value buffer,
              bool isInput);

  mlir::Value get() const { return dense; }

  /// Copies an output back, frees the copy.
  void release(mlir::OpBuilder &builder, mlir::Location loc, bool isOutput);

private:
  mlir::Value original, dense;
};

} // namespace cim

#endif // CIM_LIB_CONVERSION_CIMTOLLVM_HOSTCALLS_H
