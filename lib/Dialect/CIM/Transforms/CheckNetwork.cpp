// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Phase contracts of the network around the matrices: quant and cim.
#include "PhaseChecks.h"
#include "cim/Dialect/CIM/Transforms/Elements.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <cmath>

using namespace mlir;
using namespace cim;

/// The samples per call that the module promises.
static FailureOr<int64_t> batchOf(ModuleOp module) {
  auto batch = module->getAttrOfType<IntegerAttr>("nn.batch");
  if (batch && batch.getInt() >= 1)
    return batch.getInt();
  return module.emitError(
      "expected attribute 'nn.batch', the samples per call");
}

static LogicalResult checkMain(ModuleOp module) {
  FailureOr<int64_t> batch = batchOf(module);
  if (failed(batch))
    return failure();
  SmallVector<func::FuncOp> functions(module.getOps<func::FuncOp>());
  if (functions.size() != 1 || functions[0].getSymName() != "main")
    return module.emitError("expected one function, @main, but got ")
           << functions.size();
  func::FuncOp main = functions[0];
  SmallVector<Type> types(main.getArgumentTypes());
  llvm::append_range(types, main.getResultTypes());
  for (Type type : types) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || !tensor.hasStaticShape() || tensor.getRank() == 0 ||
        tensor.getDimSize(0) != *batch)
      return main.emitOpError("expects tensors with ")
             << *batch << " samples ('nn.batch') in front, but got " << type;
  }
  return success();
}

/// A quantised weight type of docs/Architecture.md: symmetric, zero point 0,
/// scales along the output channels.
static bool isWeightType(quant::QuantizedType type, int64_t channelDim) {
  if (type.getStorageTypeMin() != -type.getStorageTypeMax() ||
      type.getStorageTypeIntegralWidth() != 8 || !type.isSigned())
    return false;
  auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type);
  return perAxis && perAxis.getQuantizedDimension() == channelDim &&
         llvm::all_of(perAxis.getZeroPoints(),
                      [](int64_t zeroPoint) { return zeroPoint == 0; });
}

LogicalResult cim::checkQuantPhase(ModuleOp module) {
  if (failed(checkMain(module)))
    return failure();
  WalkResult result = module.walk([](CrossbarOpInterface op) {
    auto weights = dyn_cast<quant::QuantizedType>(
        getElementTypeOrSelf(op.getCrossbarWeights().getType()));
    Type input = getElementTypeOrSelf(op.getCrossbarInput().getType());
    if (!weights || !op.getCrossbarWeights().getDefiningOp<nn::ConstantOp>())
      return WalkResult::advance();
    if (!isWeightType(weights, op.getCrossbarChannelDim())) {
      op->emitOpError("expects weights of 8-bit integers in a symmetric range "
                      "with one scale per output channel, but got ")
          << weights;
      return WalkResult::interrupt();
    }
    if (!isa<quant::QuantizedType>(input)) {
      op->emitOpError("expects a quantised input for its quantised weights, "
                      "but got ")
          << input;
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

LogicalResult cim::checkBounds(Operation *op, float lo, float hi, int64_t min,
                               int64_t max) {
  if (lo >= min && hi <= max && std::floor(lo) == lo && std::floor(hi) == hi)
    return success();
  return op->emitOpError("expects to clamp an integer result to integers in ")
         << min << ".." << max << ", but got " << lo << ".." << hi;
}

static LogicalResult checkFinite(Operation *op, StringRef name,
                                 ElementsAttr table) {
  FailureOr<std::vector<double>> values =
      readElements<double>(op->getLoc(), table);
  if (failed(values))
    return failure();
  for (auto [n, value] : llvm::enumerate(*values))
    if (!std::isfinite(value))
      return op->emitOpError("expects a finite ")
             << name << ", but that of channel " << n << " is " << value;
  return success();
}

/// A map of integers that the device stores in 8 bits.
static FailureOr<quant::UniformQuantizedType>
mapType(Operation *op, StringRef what, Type element) {
  auto type = dyn_cast<quant::UniformQuantizedType>(element);
  if (type && type.getZeroPoint() == 0 &&
      type.getStorageTypeIntegralWidth() == 8)
    return type;
  return op->emitOpError("expects ")
         << what
         << " of 8-bit integers with one scale and zero point 0, but got "
         << element;
}

static LogicalResult checkMvm(MvmOp mvm, const Arch &arch, int64_t batch) {
  ShapedType in = mvm.getInput().getType(), out = mvm.getType();
  if (in.getDimSize(0) != batch)
    return mvm.emitOpError("expects ")
           << batch << " images ('nn.batch'), but got " << in.getDimSize(0);
  auto input = mapType(mvm, "an input", in.getElementType());
  if (failed(input))
    return failure();
  Arch::Range range =
      input->isSigned() ? arch.signedInputRange() : arch.unsignedInputRange();
  // A signed type that holds nothing negative can use unsigned converters.
  if (input->getStorageTypeMin() >= 0 && arch.acceptsUnsignedInput())
    range.hi = std::max(range.hi, arch.unsignedInputRange().hi);
  if (input->getStorageTypeMin() < range.lo ||
      input->getStorageTypeMax() > range.hi)
    return mvm.emitOpError("expects inputs in ")
           << range.lo << ".." << range.hi << " for target '" << arch.name()
           << "', but got " << *input;
  if (failed(checkFinite(mvm, "scale", mvm.getScale())) ||
      failed(checkFinite(mvm, "bias", mvm.getBias())))
    return failure();
  if (out.getElementType().isF32())
    return success();
  auto result = mapType(mvm, "a result", out.getElementType());
  if (failed(result))
    return failure();
  return checkBounds(mvm, mvm.getLo().convertToFloat(),
                     mvm.getHi().convertToFloat(), result->getStorageTypeMin(),
                     result->getStorageTypeMax());
}

LogicalResult cim::checkMvms(ModuleOp module, const Arch &arch) {
  FailureOr<int64_t> batch = batchOf(module);
  if (failed(batch))
    return failure();
  WalkResult result = module.walk([&](Operation *op) {
    if (auto mvm = dyn_cast<MvmOp>(op))
      return WalkResult(checkMvm(mvm, arch, *batch));
    auto crossbar = dyn_cast<CrossbarOpInterface>(op);
    auto isQuantized = [](Value value) {
      return isa<quant::QuantizedType>(getElementTypeOrSelf(value.getType()));
    };
    if (!crossbar || op->hasAttr("nn.digital") ||
        !isQuantized(crossbar.getCrossbarInput()) ||
        !isQuantized(crossbar.getCrossbarWeights()))
      return WalkResult::advance();
    op->emitOpError("with quantised operands is neither on arrays nor says why "
                    "not ('nn.digital'); run 'convert-nn-to-cim'");
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}
