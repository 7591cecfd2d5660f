// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// cim-recover-matrices: the inverse of cim-build-program, as a test oracle.
#include "cim/Dialect/CIM/IR/Splits.h"
#include "cim/Dialect/CIM/Transforms/BlockExtent.h"
#include "cim/Dialect/CIM/Transforms/Elements.h"
#include "cim/Dialect/CIM/Transforms/Passes.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include <cmath>

namespace cim {
#define GEN_PASS_DEF_RECOVERMATRICESPASS
#include "cim/Dialect/CIM/Transforms/Passes.h.inc"
} // namespace cim

using namespace mlir;
using namespace cim;

namespace {

struct Image {
  int64_t rows, columns;
  std::vector<int8_t> cells;
};

/// What the cells of one layer say about its matrix.
struct Recovered {
  int64_t rows, columns, cellsPerWeight;
  std::vector<int8_t> digits;
  std::vector<float> significance;
  std::vector<int8_t> weights;
  int64_t levels = 1;
  bool exact = true;
};

struct RecoverMatricesPass
    : public cim::impl::RecoverMatricesPassBase<RecoverMatricesPass> {
  using RecoverMatricesPassBase::RecoverMatricesPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    for (ArrayOp array : module.getOps<ArrayOp>()) {
      ArrayRef<int64_t> shape =
          cast<ShapedType>(cast<TypedAttr>(array.getImage()).getType())
              .getShape();
      auto cells = readElements<int8_t>(array.getLoc(), array.getImage());
      if (failed(cells))
        return signalPassFailure();
      images[array.getSymName()] = {shape[0], shape[1], std::move(*cells)};
    }
    llvm::StringMap<SmallVector<StreamOp>> streams;
    WalkResult walked = module.walk([&](StreamOp stream) {
      streams[stream.getLayer()].push_back(stream);
      if (stream.getResult())
        return WalkResult::advance();
      stream.emitOpError("expects tensors; recover matrices before "
                         "bufferisation");
      return WalkResult::interrupt();
    });
    if (walked.wasInterrupted())
      return signalPassFailure();
    for (LayerOp layer : llvm::make_early_inc_range(module.getOps<LayerOp>()))
      if (failed(recoverLayer(layer, streams[layer.getSymName()])))
        return signalPassFailure();
    for (ArrayOp array : llvm::make_early_inc_range(module.getOps<ArrayOp>()))
      array.erase();
  }

private:
  FailureOr<Recovered> readCells(LayerOp layer) {
    Recovered result;
    result.rows =
        layer.getInput()[2] * layer.getKernel()[0] * layer.getKernel()[1];
    result.columns = layer.getOutput()[2];
    auto significance =
        readElements<float>(layer.getLoc(), layer.getSignificance());
    if (failed(significance))
      return failure();
    result.significance = std::move(*significance);
    int64_t repeat = layer.getRepeat(), size = result.rows * result.columns;
    result.cellsPerWeight =
        result.significance.size() / result.columns * repeat;
    result.digits.resize(result.cellsPerWeight * size);
    for (BlockOp block : layer.getBody().getOps<BlockOp>()) {
      BlockExtent extent(block);
      auto image = images.find(block.getArray().value_or(""));
      if (image == images.end() || repeat > image->second.rows ||
          extent.row > image->second.rows - extent.cellRows() ||
          extent.column > image->second.columns - extent.nCount)
        return block.emitOpError("expects a place inside of an array");
      for (int64_t k = 0; k < extent.kCount; ++k)
        for (int64_t r = 0; r < repeat; ++r)
          for (int64_t n = 0; n < extent.nCount; ++n)
            result.digits[(extent.plane * repeat + r) * size +
                          (extent.k + k) * result.columns + extent.n + n] =
                image->second.cells[(extent.row + k * repeat + r) *
                                        image->second.columns +
                                    extent.column + n];
    }
    return result;
  }

  /// Weights are sums over cells, rounded where significance is real.
  static void addUp(Recovered &result) {
    for (double sum : addPlanes(result.digits, result.cellsPerWeight,
                                result.significance, result.columns)) {
      double weight = std::clamp(std::nearbyint(sum), -127.0, 127.0);
      result.exact &= weight == sum;
      result.weights.push_back(static_cast<int8_t>(weight));
      result.levels =
          std::max(result.levels, std::abs(static_cast<int64_t>(weight)));
    }
  }

  /// The split with such digits. Bases of `radix` are odd and larger than twice
  /// a digit.
  static Split recognizeSplit(const Recovered &result, int64_t repeat) {
    if (repeat > 1)
      return Split::Unary;
    if (!result.exact)
      return Split::Residual;
    if (result.cellsPerWeight == 1)
      return Split::Radix;
    int64_t largest = 0;
    for (int64_t digit : result.digits)
      largest = std::max(largest, std::abs(digit));
    float base = result.significance[result.columns];
    if (base == 1)
      return Split::Equal;
    bool isRadix = static_cast<int64_t>(base) % 2 == 1 && base > 2 * largest;
    return isRadix ? Split::Radix : Split::Magnitude;
  }

  /// Widens a table of the epilogue.
  FailureOr<ElementsAttr> widen(LayerOp layer, ElementsAttr table,
                                const Twine &name) {
    auto values = readElements<float>(layer.getLoc(), table);
    if (failed(values))
      return failure();
    std::vector<double> wide(values->begin(), values->end());
    return makeElements<double>(
        RankedTensorType::get({int64_t(wide.size())},
                              Float64Type::get(&getContext())),
        wide, name.str());
  }

  LogicalResult recoverLayer(LayerOp layer, ArrayRef<StreamOp> streams) {
    FailureOr<Recovered> recovered = readCells(layer);
    if (failed(recovered))
      return failure();
    int64_t repeat = layer.getRepeat();
    addUp(*recovered);
    std::string name = layer.getSymName().str();
    auto scale = widen(layer, layer.getScale(), name + "_scale");
    auto bias = widen(layer, layer.getBias(), name + "_bias");
    if (failed(scale) || failed(bias))
      return failure();
    OpBuilder builder(layer);
    Type i8 = builder.getI8Type();
    auto weights = makeElements<int8_t>(
        RankedTensorType::get({recovered->rows, recovered->columns}, i8),
        recovered->weights, name);
    auto planes = makeElements<int8_t>(
        RankedTensorType::get(
            {recovered->cellsPerWeight, recovered->rows, recovered->columns},
            i8),
        recovered->digits, name + "_planes");
    auto matrix = MatrixOp::create(builder, layer.getLoc(), name, weights,
                                   recovered->levels, layer.getGroups());
    matrix.setSplit(recognizeSplit(*recovered, repeat));
    matrix.setPlanesAttr(planes);
    matrix.setSignificanceAttr(layer.getSignificance());
    for (StreamOp stream : streams)
      recoverMvm(stream, layer, *scale, *bias);
    builder.setInsertionPointToEnd(&matrix.getBody().front());
    for (BlockOp block : layer.getBody().getOps<BlockOp>())
      builder.clone(*block);
    layer.erase();
    return success();
  }

  /// Integers whose scale the program has forgotten.
  RankedTensorType unscaled(ShapedType type, Type deviceType) {
    bool isSigned = !deviceType.isUnsignedInteger();
    auto element = quant::UniformQuantizedType::get(
        isSigned ? quant::QuantizationFlags::Signed : 0,
        IntegerType::get(&getContext(), 8), Float32Type::get(&getContext()),
        /*scale=*/1.0, /*zeroPoint=*/0, isSigned ? -128 : 0,
        isSigned ? 127 : 255);
    return RankedTensorType::get(type.getShape(), element);
  }

  void recoverMvm(StreamOp stream, LayerOp layer, ElementsAttr scale,
                  ElementsAttr bias) {
    OpBuilder builder(stream);
    Location loc = stream.getLoc();
    auto inType = cast<ShapedType>(stream.getInput().getType());
    auto outType = cast<RankedTensorType>(stream.getResult().getType());
    bool isFloat = layer.getOutputType().isF32();
    Value input = quant::StorageCastOp::create(
        builder, loc, unscaled(inType, layer.getInputType()),
        stream.getInput());
    Value result = MvmOp::create(
        builder, loc,
        isFloat ? outType : unscaled(outType, layer.getOutputType()),
        layer.getSymName(), input, layer.getKernel(), layer.getStrides(),
        layer.getDilations(), layer.getPads(), scale, bias, layer.getLo(),
        layer.getHi(), layer.getRounding(), ElementsAttr(), ElementsAttr());
    if (!isFloat)
      result = quant::StorageCastOp::create(builder, loc, outType, result);
    stream.getResult().replaceAllUsesWith(result);
    stream.erase();
  }

  llvm::StringMap<Image> images;
};

} // namespace
