// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calls of the functions of cim_host (include/cim-c/model.h).
#include "HostCalls.h"

#include "cim-c/model.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace cim {

// The struct type below mirrors cim_host.
static_assert(offsetof(cim_host, stream) == 8 &&
              offsetof(cim_host, observe) == 16 &&
              offsetof(cim_host, conv2d_f32) == 24 &&
              offsetof(cim_host, matmul_f32) == 32);

static LLVM::LLVMStructType hostType(MLIRContext *context) {
  Type i32 = IntegerType::get(context, 32);
  Type pointer = LLVM::LLVMPointerType::get(context);
  return LLVM::LLVMStructType::getLiteral(
      context, {i32, i32, pointer, pointer, pointer, pointer});
}

void HostCalls::call(OpBuilder &builder, Location loc, HostFunction which,
                     ValueRange arguments) {
  MLIRContext *context = builder.getContext();
  Type pointer = LLVM::LLVMPointerType::get(context);
  Value host = function.getArgument(0);
  Value field = LLVM::GEPOp::create(
      builder, loc, pointer, hostType(context), host,
      ArrayRef<LLVM::GEPArg>{0, static_cast<int32_t>(which)});
  Value callee = LLVM::LoadOp::create(builder, loc, pointer, field);
  SmallVector<Value> operands{callee, host};
  llvm::append_range(operands, arguments);
  SmallVector<Type> types{pointer};
  llvm::append_range(types, arguments.getTypes());
  auto functionType =
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context), types);
  LLVM::CallOp::create(builder, loc, functionType, operands);
}

Value HostCalls::pointer(OpBuilder &builder, Location loc, Value buffer) {
  Value address =
      memref::ExtractAlignedPointerAsIndexOp::create(builder, loc, buffer);
  Value integer =
      arith::IndexCastOp::create(builder, loc, builder.getI64Type(), address);
  return LLVM::IntToPtrOp::create(
      builder, loc, LLVM::LLVMPointerType::get(builder.getContext()), integer);
}

Value HostCalls::i32(OpBuilder &builder, Location loc, int64_t value) {
  return LLVM::ConstantOp::create(builder, loc, builder.getI32Type(),
                                  builder.getI32IntegerAttr(value));
}

Value HostCalls::i64(OpBuilder &builder, Location loc, int64_t value) {
  return LLVM::ConstantOp::create(builder, loc, builder.getI64Type(),
                                  builder.getI64IntegerAttr(value));
}

Value HostCalls::constants(OpBuilder &builder, Location loc,
                           ArrayRef<int32_t> values) {
  auto module = function->getParentOfType<ModuleOp>();
  auto type = LLVM::LLVMArrayType::get(builder.getI32Type(), values.size());
  std::string name = "cim_shape_" + std::to_string(globalCount++);
  OpBuilder::InsertionGuard guard(builder);
  OpBuilder atTop = OpBuilder::atBlockBegin(module.getBody());
  auto global = LLVM::GlobalOp::create(
      atTop, loc, type, /*isConstant=*/true, LLVM::Linkage::Internal, name,
      builder.getI32TensorAttr(values), /*alignment=*/4);
  return LLVM::AddressOfOp::create(builder, loc, global);
}

//===----------------------------------------------------------------------===//
// DenseBuffer
//===----------------------------------------------------------------------===//

DenseBuffer::DenseBuffer(OpBuilder &builder, Location loc, Value buffer,
                         bool isInput)
    : original(buffer), dense(buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  if (type.getLayout().isIdentity())
    return;
  dense = memref::AllocOp::create(
      builder, loc, MemRefType::get(type.getShape(), type.getElementType()));
  if (isInput)
    linalg::makeMemRefCopyOp(builder, loc, original, dense);
}

void DenseBuffer::release(OpBuilder &builder, Location loc, bool isOutput) {
  if (dense == original)
    return;
  if (isOutput)
    linalg::makeMemRefCopyOp(builder, loc, dense, original);
  memref::DeallocOp::create(builder, loc, dense);
}

} // namespace cim
