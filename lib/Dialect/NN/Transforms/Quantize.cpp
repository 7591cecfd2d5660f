// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// nn-quantize: weights and activations of crossbar layers become integers.
#include "QuantTypes.h"
#include "cim/Dialect/CIM/Transforms/CellsPerLayer.h"
#include "cim/Dialect/CIM/Transforms/TargetArch.h"
#include "cim/Dialect/NN/Transforms/Passes.h"
#include "cim/Dialect/NN/Transforms/QuantizationPlan.h"
#include "cim/Dialect/NN/Transforms/WeightSearch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/MapVector.h"
#include <cmath>

namespace cim::nn {
#define GEN_PASS_DEF_QUANTIZEPASS
#include "cim/Dialect/NN/Transforms/Passes.h.inc"
} // namespace cim::nn

using namespace mlir;
using namespace cim;
using namespace cim::nn;

namespace {

struct QuantizePass : nn::impl::QuantizePassBase<QuantizePass> {
  using QuantizePassBase::QuantizePassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<Arch> loaded = loadChip(module, target);
    FailureOr<CellsPerLayer> perLayer =
        succeeded(loaded) ? CellsPerLayer::parse(module.getLoc(), cells)
                          : FailureOr<CellsPerLayer>();
    if (failed(loaded) || failed(perLayer))
      return signalPassFailure();
    arch = &*loaded;
    SmallVector<CrossbarOpInterface> layers;
    std::string reason;
    module.walk([&](CrossbarOpInterface op) {
      if (runsOnArrays(op, *arch, reason))
        layers.push_back(op);
    });
    SmallVector<StringRef> names = perLayer->names();
    llvm::sort(names);
    if (failed(checkLayerNames(module, names, layers)))
      return signalPassFailure();
    for (auto &[key, uses] : collectMatrices(layers, *perLayer))
      if (failed(quantizeWeights(uses, key.second)))
        return signalPassFailure();
    for (CrossbarOpInterface op : layers)
      if (failed(quantizeInput(op)))
        return signalPassFailure();
    RewritePatternSet patterns(&getContext());
    populateQuantizationMovement(patterns);
    if (failed(applyPatternsGreedily(module, std::move(patterns))))
      signalPassFailure();
  }

private:
  /// Ops that share a matrix.
  using Uses = SmallVector<CrossbarOpInterface, 1>;

  /// The ops of every matrix in program order, apart where users ask for
  /// another number of cells.
  static llvm::MapVector<std::pair<MatrixKey, int64_t>, Uses>
  collectMatrices(ArrayRef<CrossbarOpInterface> layers,
                  const CellsPerLayer &perLayer) {
    llvm::MapVector<std::pair<MatrixKey, int64_t>, Uses> matrices;
    for (CrossbarOpInterface op : layers)
      matrices[{getMatrixKey(op), perLayer.lookup(getNodeName(op))}].push_back(
          op);
    return matrices;
  }

  /// Integers of the network stay, also where they need more cells than asked.
  void remarkCells(Operation *op, int64_t levels, int64_t asked) {
    if (split == Split::Residual || levels > maxLevels)
      return;
    int64_t limit = getCellLimit(*arch);
    int64_t needed =
        countCells(resolveSplit(split, levels, asked, limit), levels, limit);
    if (needed > asked)
      op->emitRemark("keeps the integers of its weights, up to ")
          << levels << ", which take " << needed
          << " cells each instead of the " << asked << " asked for";
  }

  FailureOr<int64_t> getLevels(Operation *op, int64_t count) {
    int64_t levels = getMostLevels(split, count, getCellLimit(*arch));
    if (levels > maxLevels)
      return op->emitError() << count << " cells hold weights beyond "
                             << maxLevels << "; use fewer cells per weight";
    return levels;
  }

  LogicalResult quantizeWeights(ArrayRef<CrossbarOpInterface> uses,
                                int64_t count) {
    CrossbarOpInterface op = uses.front();
    Value weights = op.getCrossbarWeights();
    auto type = cast<RankedTensorType>(weights.getType());
    if (auto quantized =
            dyn_cast<quant::QuantizedType>(type.getElementType())) {
      remarkCells(op, quantized.getStorageTypeMax(), count);
      return success();
    }
    FailureOr<int64_t> levels = getLevels(op, count);
    if (failed(levels))
      return failure();
    FailureOr<std::vector<float>> values = readReals(weights);
    if (failed(values))
      return op->emitError("expected constant weights of a type that can be "
                           "read as real numbers, but got ")
             << type;
    for (float value : *values)
      if (!std::isfinite(value))
        return op->emitError("expected finite weights, but got ") << value;
    int64_t dim = op.getCrossbarChannelDim();
    ChannelIntegers found =
        searchWeights(*values, type.getShape(), dim, *levels);
    OpBuilder builder(op);
    Value integers =
        createWeights(builder, weights.getLoc(), type.getShape(), dim, found);
    for (CrossbarOpInterface use : uses)
      for (OpOperand &operand : use->getOpOperands())
        if (operand.get() == weights && weights != use.getCrossbarInput())
          operand.set(integers);
    return success();
  }

  LogicalResult quantizeInput(CrossbarOpInterface op) {
    Value input = op.getCrossbarInput();
    if (quant::UniformQuantizedType type = getUniformType(input)) {
      if (fitsInput(type, *arch))
        return success();
      // Integers that the converters cannot take count as real numbers.
      OpBuilder builder(op);
      Value real = DequantizeOp::create(
          builder, input.getLoc(),
          cast<ShapedType>(input.getType()).clone(builder.getF32Type()), input);
      op->replaceUsesOfWith(input, real);
      input = real;
    }
    Value root = getActivationRoot(input);
    if (auto dequantize = root.getDefiningOp<DequantizeOp>()) {
      quant::UniformQuantizedType type = getUniformType(dequantize.getInput());
      if (type && fitsInput(type, *arch))
        return success();
    }
    return quantizeRoot(op, root);
  }

  /// Whether `user` belongs to arrays, or only hands on what it reads.
  bool needsIntegers(Operation *user) {
    std::string reason;
    auto layer = dyn_cast<CrossbarOpInterface>(user);
    return layer ? runsOnArrays(layer, *arch, reason)
                 : movesData(user) || isa<ConcatOp>(user);
  }

  /// Stores `root` in integers; whatever read it reads them. Only an argument
  /// is there in float, too.
  LogicalResult quantizeRoot(Operation *reader, Value root) {
    std::optional<std::pair<float, float>> range = getRange(root);
    if (!range)
      return reader->emitError("the range of its input is not known; calibrate "
                               "on sample data first (cim-compile "
                               "--calibration=FILE.npy)");
    auto [lo, hi] = *range;
    if (!(lo <= hi) || !std::isfinite(lo) || !std::isfinite(hi))
      return reader->emitError(
                 "expected a finite range of its input, but got [")
             << lo << ", " << hi << "]";
    quant::UniformQuantizedType type =
        getInputType(&getContext(), *arch, lo, hi);
    OpBuilder builder(&getContext());
    builder.setInsertionPointAfterValue(root);
    auto shaped = cast<ShapedType>(root.getType());
    auto quantize =
        QuantizeOp::create(builder, root.getLoc(), shaped.clone(type), root,
                           Rounding::NearestEven);
    Value real = DequantizeOp::create(builder, root.getLoc(), shaped, quantize);
    root.replaceUsesWithIf(real, [&](OpOperand &use) {
      Operation *user = use.getOwner();
      return user != quantize &&
             (!isa<BlockArgument>(root) || needsIntegers(user));
    });
    removeRange(root);
    return success();
  }

  const Arch *arch = nullptr;
};

} // namespace
