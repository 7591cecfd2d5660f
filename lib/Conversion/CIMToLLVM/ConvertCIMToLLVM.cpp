// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// convert-cim-to-llvm: calls into the runtime through its table of functions.
#include "HostCalls.h"

#include "cim/Conversion/Passes.h"
#include "cim/Dialect/CIM/IR/CIM.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/DialectResourceBlobManager.h"

namespace cim {
#define GEN_PASS_DEF_CONVERTCIMTOLLVMPASS
#include "cim/Conversion/Passes.h.inc"
} // namespace cim

using namespace mlir;
using namespace cim;

/// The bytes of a constant, without its type; null when they are all alike.
static ElementsAttr asBytes(Attribute value) {
  auto type = dyn_cast_or_null<TypedAttr>(value);
  if (!type)
    return nullptr;
  auto shaped = cast<ShapedType>(type.getType());
  unsigned width = shaped.getElementTypeBitWidth();
  auto bytes = RankedTensorType::get({shaped.getNumElements() * (width / 8)},
                                     IntegerType::get(value.getContext(), 8));
  if (width % 8 != 0)
    return nullptr;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
    return DenseResourceElementsAttr::get(bytes, resource.getRawHandle());
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense || dense.isSplat())
    return nullptr;
  return DenseElementsAttr::getFromRawBuffer(bytes, dense.getRawData());
}

/// Constants become strings of bytes: LLVM writes those at once, but floats one
/// by one.
static void packConstants(ModuleOp module) {
  SymbolTableCollection symbols;
  SmallVector<memref::GetGlobalOp> uses;
  module.walk([&](memref::GetGlobalOp use) { uses.push_back(use); });
  for (memref::GetGlobalOp use : uses) {
    auto global = symbols.lookupNearestSymbolFrom<memref::GlobalOp>(
        use, use.getNameAttr());
    MemRefType type = use.getType();
    if (global.getType() == type) {
      ElementsAttr bytes = asBytes(global.getInitialValueAttr());
      if (!bytes)
        continue;
      global.setInitialValueAttr(bytes);
      global.setType(MemRefType::get(bytes.getShapedType().getShape(),
                                     bytes.getElementType()));
    }
    OpBuilder builder(use);
    Location loc = use.getLoc();
    Value bytes = memref::GetGlobalOp::create(builder, loc, global.getType(),
                                              global.getSymName());
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value view =
        memref::ViewOp::create(builder, loc, type, bytes, zero, ValueRange{});
    use.replaceAllUsesWith(view);
    use.erase();
  }
}

static MemRefType typeOf(Value value) {
  return cast<MemRefType>(value.getType());
}

/// Values of `strides` or `dilations`, all 1 when absent.
static SmallVector<int64_t, 2> pairOf(DenseIntElementsAttr attribute) {
  if (!attribute)
    return {1, 1};
  return llvm::to_vector<2>(attribute.getValues<int64_t>());
}

namespace {

struct ConvertCIMToLLVM
    : cim::impl::ConvertCIMToLLVMPassBase<ConvertCIMToLLVM> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto main = module.lookupSymbol<func::FuncOp>("main");
    if (!main || main.isExternal()) {
      module.emitError("expected a function @main with a body");
      return signalPassFailure();
    }
    if (!main.getResultTypes().empty()) {
      main.emitError("expected @main to return nothing; run "
                     "cim-bufferize-program first");
      return signalPassFailure();
    }
    numberLayers(module);
    prepareSignature(main);
    HostCalls host(main);
    WalkResult result = main.walk([&](Operation *op) {
      return failed(lower(op, host)) ? WalkResult::interrupt()
                                     : WalkResult::advance();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    eraseDescriptions(module);
    packConstants(module);
  }

private:
  llvm::StringMap<int64_t> layerNumbers;

  void numberLayers(ModuleOp module) {
    layerNumbers.clear();
    for (auto [number, layer] : llvm::enumerate(module.getOps<LayerOp>()))
      layerNumbers[layer.getSymName()] = number;
  }

  /// Puts the host in front; tells LLVM that buffers do not overlap; drops
  /// attributes that mean nothing any more.
  static void prepareSignature(func::FuncOp main) {
    Builder builder(main.getContext());
    (void)main.insertArgument(0, LLVM::LLVMPointerType::get(main.getContext()),
                              {}, main.getLoc());
    for (BlockArgument argument : main.getArguments()) {
      SmallVector<NamedAttribute> kept;
      if (isa<MemRefType>(argument.getType()))
        kept.emplace_back(LLVM::LLVMDialect::getNoAliasAttrName(),
                          builder.getUnitAttr());
      main.setArgAttrs(argument.getArgNumber(), kept);
    }
  }

  LogicalResult lower(Operation *op, HostCalls &host) {
    if (auto stream = dyn_cast<StreamOp>(op))
      return lowerStream(stream, host);
    if (auto call = dyn_cast<func::CallOp>(op);
        call && call.getCallee() == kObserveFunction) {
      lowerObserve(call, host);
      return success();
    }
    if (auto conv = dyn_cast<linalg::Conv2DNchwFchwOp>(op))
      lowerConv(conv, pairOf(conv.getStrides()), pairOf(conv.getDilations()),
                host);
    else if (auto conv = dyn_cast<linalg::Conv2DNgchwGfchwOp>(op))
      lowerConv(conv, pairOf(conv.getStrides()), pairOf(conv.getDilations()),
                host);
    else if (isa<linalg::MatmulOp, linalg::BatchMatmulOp>(op))
      lowerMatMul(cast<linalg::LinalgOp>(op), host);
    return success();
  }

  LogicalResult lowerStream(StreamOp op, HostCalls &host) {
    auto number = layerNumbers.find(op.getLayer());
    if (number == layerNumbers.end())
      return op.emitOpError("refers to an unknown layer ") << op.getLayerAttr();
    if (!isa<MemRefType>(op.getInput().getType()) ||
        !isa<MemRefType>(op.getOutput().getType()))
      return op.emitOpError("expected buffers, but got tensors; run "
                            "cim-bufferize-program first");
    OpBuilder builder(op);
    Location loc = op.getLoc();
    DenseBuffer input(builder, loc, op.getInput(), /*isInput=*/true);
    DenseBuffer output(builder, loc, op.getOutput(), /*isInput=*/false);
    host.call(builder, loc, HostFunction::Stream,
              {host.i32(builder, loc, number->second),
               host.pointer(builder, loc, input.get()),
               host.pointer(builder, loc, output.get())});
    input.release(builder, loc, /*isOutput=*/false);
    output.release(builder, loc, /*isOutput=*/true);
    op.erase();
    return success();
  }

  static void lowerObserve(func::CallOp op, HostCalls &host) {
    OpBuilder builder(op);
    Location loc = op.getLoc();
    Value list = op.getOperand(0);
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value size = memref::DimOp::create(builder, loc, list, zero);
    Value count =
        arith::IndexCastOp::create(builder, loc, builder.getI64Type(), size);
    Value number = arith::TruncIOp::create(builder, loc, builder.getI32Type(),
                                           op.getOperand(1));
    host.call(builder, loc, HostFunction::Observe,
              {number, host.pointer(builder, loc, list), count});
    op.erase();
  }

  /// True when operands are float buffers; others become loops later.
  static bool isFloatOnBuffers(linalg::LinalgOp op) {
    return llvm::all_of(op->getOperandTypes(), [](Type type) {
      auto buffer = dyn_cast<MemRefType>(type);
      return buffer && buffer.getElementType().isF32() &&
             buffer.hasStaticShape();
    });
  }

  static void callOnDense(linalg::LinalgOp op, HostCalls &host,
                          HostFunction which, ArrayRef<Value> leading) {
    OpBuilder builder(op);
    Location loc = op.getLoc();
    DenseBuffer a(builder, loc, op->getOperand(0), /*isInput=*/true);
    DenseBuffer b(builder, loc, op->getOperand(1), /*isInput=*/true);
    DenseBuffer c(builder, loc, op->getOperand(2), /*isInput=*/true);
    SmallVector<Value> arguments(leading);
    for (DenseBuffer *buffer : {&a, &b, &c})
      arguments.push_back(host.pointer(builder, loc, buffer->get()));
    host.call(builder, loc, which, arguments);
    a.release(builder, loc, /*isOutput=*/false);
    b.release(builder, loc, /*isOutput=*/false);
    c.release(builder, loc, /*isOutput=*/true);
    op.erase();
  }

  static void lowerConv(linalg::LinalgOp op, ArrayRef<int64_t> strides,
                        ArrayRef<int64_t> dilations, HostCalls &host) {
    if (!isFloatOnBuffers(op))
      return;
    ArrayRef<int64_t> input = typeOf(op->getOperand(0)).getShape();
    ArrayRef<int64_t> filter = typeOf(op->getOperand(1)).getShape();
    ArrayRef<int64_t> output = typeOf(op->getOperand(2)).getShape();
    bool grouped = input.size() == 5;
    int64_t groups = grouped ? input[1] : 1;
    ArrayRef<int64_t> image = input.take_back(2), window = filter.take_back(2),
                      result = output.take_back(2);
    int64_t channels = groups * input[grouped ? 2 : 1];
    int64_t filters = groups * filter[grouped ? 1 : 0];
    // In the order of cim_conv2d_shape.
    SmallVector<int32_t> shape;
    for (int64_t value :
         {input[0], channels, image[0], image[1], filters, window[0], window[1],
          result[0], result[1], strides[0], strides[1], dilations[0],
          dilations[1], groups})
      shape.push_back(static_cast<int32_t>(value));
    OpBuilder builder(op);
    callOnDense(op, host, HostFunction::Conv2D,
                host.constants(builder, op.getLoc(), shape));
  }

  static void lowerMatMul(linalg::LinalgOp op, HostCalls &host) {
    if (!isFloatOnBuffers(op))
      return;
    ArrayRef<int64_t> a = typeOf(op->getOperand(0)).getShape();
    ArrayRef<int64_t> c = typeOf(op->getOperand(2)).getShape();
    int64_t batch = a.size() == 3 ? a[0] : 1;
    OpBuilder builder(op);
    SmallVector<Value> sizes;
    for (int64_t size : {batch, c.drop_back().back(), c.back(), a.back()})
      sizes.push_back(host.i64(builder, op.getLoc(), size));
    callOnDense(op, host, HostFunction::MatMul, sizes);
  }

  static void eraseDescriptions(ModuleOp module) {
    for (Operation &op : llvm::make_early_inc_range(*module.getBody())) {
      auto function = dyn_cast<func::FuncOp>(op);
      bool isObserve = function && function.getSymName() == kObserveFunction;
      if (isa<ArrayOp, LayerOp>(op) || isObserve)
        op.erase();
    }
  }
};

} // namespace
