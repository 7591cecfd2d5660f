// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn-fold-constants: ops whose operands are all constants are computed now.
#include "MovedAxis.h"
#include "cim/Dialect/NN/Transforms/ConstantData.h"
#include "cim/Dialect/NN/Transforms/ConstantFolding.h"
#include "cim/Dialect/NN/Transforms/Passes.h"
#include "llvm/ADT/TypeSwitch.h"

namespace cim::nn {
#define GEN_PASS_DEF_FOLDCONSTANTSPASS
#include "cim/Dialect/NN/Transforms/Passes.h.inc"
} // namespace cim::nn

using namespace mlir;
using namespace cim;
using namespace cim::nn;

namespace {

/// A dequantised constant that a crossbar op reads, maybe moved, keeps its
/// integers: they are what the arrays store.
bool feedsCrossbar(Value value) {
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    if (isa<TransposeOp, ReshapeOp, SliceOp, PadOp>(user))
      return feedsCrossbar(user->getResult(0));
    auto crossbar = dyn_cast<CrossbarOpInterface>(user);
    return crossbar && crossbar.getCrossbarWeights() == value;
  });
}

/// The quantised type behind `op`, or null when it has none.
Type movedType(Operation *op, quant::QuantizedType type) {
  auto perTensor = dyn_cast<quant::UniformQuantizedType>(type);
  auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type);
  if (auto pad = dyn_cast<PadOp>(op)) {
    // Only a zero without zero point is the same integer for all.
    bool hasZeroPoint =
        perTensor ? perTensor.getZeroPoint() != 0
                  : !perAxis || llvm::any_of(perAxis.getZeroPoints(),
                                             [](int64_t z) { return z != 0; });
    if (hasZeroPoint || !pad.getValue().isZero())
      return {};
  }
  if (!perAxis)
    return type;
  std::optional<MovedAxis> axis =
      followAxis(op, perAxis.getQuantizedDimension());
  if (!axis)
    return {};
  SmallVector<double> scales;
  SmallVector<int64_t> zeroPoints;
  for (int64_t index : axis->origin) {
    scales.push_back(perAxis.getScales()[index]);
    zeroPoints.push_back(perAxis.getZeroPoints()[index]);
  }
  return quant::UniformQuantizedPerAxisType::get(
      perAxis.getFlags(), perAxis.getStorageType(), perAxis.getExpressedType(),
      scales, zeroPoints, axis->dim, perAxis.getStorageTypeMin(),
      perAxis.getStorageTypeMax());
}

struct FoldConstants : nn::impl::FoldConstantsPassBase<FoldConstants> {
  using FoldConstantsPassBase::FoldConstantsPassBase;

  void runOnOperation() override {
    getOperation().walk([&](Block *block) {
      madeOf.clear();
      for (Operation &op : llvm::make_early_inc_range(*block))
        visit(&op);
      for (Operation &op : llvm::make_early_inc_range(llvm::reverse(*block)))
        if (isa_and_nonnull<NNDialect>(op.getDialect()) &&
            isOpTriviallyDead(&op))
          op.erase();
    });
  }

private:
  void visit(Operation *op) {
    if (!isFoldable(op) || exceedsLimit(op))
      return;
    OpBuilder builder(op);
    if (feedsCrossbar(op->getResult(0)) &&
        (isa<DequantizeOp>(op) || succeeded(moveIntegers(builder, op))))
      return;
    FailureOr<ElementsAttr> value = foldConstantOp(op);
    if (failed(value))
      return;
    auto constant = ConstantOp::create(builder, op->getLoc(),
                                       op->getResult(0).getType(), *value);
    replace(op, constant);
  }

  static int64_t size(Value value) {
    return cast<ShapedType>(value.getType()).getNumElements();
  }

  void replace(Operation *op, Value value) {
    if (op->getNumOperands() == 1)
      madeOf[value] = origin(op->getOperand(0));
    op->getResult(0).replaceAllUsesWith(value);
  }

  /// Elements of the constant that a constant was made of.
  int64_t origin(Value value) {
    auto found = madeOf.find(value);
    return found == madeOf.end() ? size(value) : found->second;
  }

  /// Broadcasts and pads can make much of little.
  bool exceedsLimit(Operation *op) {
    int64_t operands = 0;
    for (Value operand : op->getOperands())
      operands += size(operand);
    int64_t most = std::max<int64_t>(limit, operands);
    if (isa<PadOp>(op) && feedsCrossbar(op->getResult(0)))
      most = std::max(most, maxPadding * origin(op->getOperand(0)));
    return size(op->getResult(0)) > most;
  }

  /// Moves the integers below a nn.dequantize, so that weights which arrive
  /// quantised stay quantised.
  LogicalResult moveIntegers(OpBuilder &builder, Operation *op) {
    if (!isa<TransposeOp, ReshapeOp, SliceOp, PadOp>(op))
      return failure();
    auto dequantize = op->getOperand(0).getDefiningOp<DequantizeOp>();
    if (!dequantize)
      return failure();
    auto constant = dequantize.getInput().getDefiningOp<ConstantOp>();
    Type element = movedType(
        op, cast<quant::QuantizedType>(constant.getType().getElementType()));
    FailureOr<ElementsAttr> value = moveElements(op, constant.getValue());
    if (!element || failed(value))
      return failure();
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    auto moved = ConstantOp::create(builder, constant.getLoc(),
                                    type.clone(element), *value);
    auto result =
        DequantizeOp::create(builder, dequantize.getLoc(), type, moved);
    replace(op, result);
    return success();
  }

  /// Weights that are padded become this many times as large at most.
  static constexpr int64_t maxPadding = 8;
  llvm::DenseMap<Value, int64_t> madeOf;
};

} // namespace
