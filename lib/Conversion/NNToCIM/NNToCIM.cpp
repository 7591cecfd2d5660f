// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// convert-nn-to-cim: crossbar ops with quantised operands become matrix + mvm.
#include "CrossbarLayer.h"
#include "cim/Conversion/Passes.h"
#include "cim/Dialect/CIM/IR/CIM.h"
#include "cim/Dialect/CIM/Transforms/Elements.h"
#include "cim/Dialect/CIM/Transforms/NodeName.h"
#include "cim/Dialect/CIM/Transforms/TargetArch.h"
#include "cim/Dialect/NN/Transforms/QuantizationPlan.h"
#include "cim/Dialect/NN/Transforms/TensorBuilder.h"
#include "mlir/IR/Remarks.h"

namespace cim {
#define GEN_PASS_DEF_CONVERTNNTOCIMPASS
#include "cim/Conversion/Passes.h.inc"
} // namespace cim

using namespace mlir;
using namespace cim;

static constexpr StringLiteral category = "convert-nn-to-cim";

/// `name` as a symbol that needs no quotes: letters, digits, '_', '.', '$' and
/// '-', beginning with a letter or '_'. `fallback` when nothing is left.
static std::string symbolFromName(StringRef name, StringRef fallback) {
  std::string symbol;
  for (char c : name)
    symbol += llvm::isAlnum(c) || StringRef(".$-").contains(c) ? c : '_';
  symbol.erase(0, symbol.find_first_not_of("_.$-"));
  if (symbol.empty())
    return fallback.str();
  return llvm::isDigit(symbol[0]) ? "_" + symbol : symbol;
}

/// Tells users, the remark engine and later phases that `op` stays digital.
static void reportDigital(Operation *op, StringRef reason) {
  op->emitRemark("stays digital: ") << reason;
  op->setAttr("nn.digital", StringAttr::get(op->getContext(), reason));
  remark::missed(op->getLoc(), remark::RemarkOpts::name("StaysDigital")
                                   .category(category)
                                   .function(nodeName(op->getLoc())))
      << remark::reason("{0}", reason.str())
      << remark::metric("Op", op->getName().getStringRef().str());
}

static void reportMapped(Operation *op, const CrossbarLayer &layer) {
  remark::passed(op->getLoc(),
                 remark::RemarkOpts::name("Mapped").category(category).function(
                     nodeName(op->getLoc())))
      << remark::metric("Op", op->getName().getStringRef().str())
      << remark::metric("Rows", layer.geometry.matrixRows())
      << remark::metric("Columns", layer.geometry.outC)
      << remark::metric("Levels", layer.levels);
}

/// Ops without a crossbar form, other than those that only move or store data.
static void reportHostOp(Operation *op) {
  if (isa<nn::ConstantOp, nn::ReshapeOp, nn::TransposeOp, nn::ConcatOp,
          nn::PadOp, nn::SliceOp, nn::BroadcastOp, nn::GatherOp, nn::ScatterOp,
          nn::QuantizeOp, nn::DequantizeOp, nn::ObserveOp>(op))
    return;
  remark::analysis(
      op->getLoc(),
      remark::RemarkOpts::name("HostOp").category(category).function(
          nodeName(op->getLoc())))
      << remark::reason("it has no crossbar form and runs on the host")
      << remark::metric("Op", op->getName().getStringRef().str());
}

namespace {

struct ConvertNNToCIMPass
    : public cim::impl::ConvertNNToCIMPassBase<ConvertNNToCIMPass> {
  using ConvertNNToCIMPassBase::ConvertNNToCIMPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    FailureOr<Arch> arch = loadChip(module, target);
    if (failed(arch))
      return signalPassFailure();
    auto batchAttr = module->getAttrOfType<IntegerAttr>("nn.batch");
    int64_t batch = batchAttr ? batchAttr.getInt() : 0;
    SymbolTable symbols(module);
    llvm::DenseMap<nn::MatrixKey, MatrixOp> matrices;
    SmallVector<Operation *> ops;
    module.walk([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : ops) {
      if (auto crossbar = dyn_cast<CrossbarOpInterface>(op)) {
        std::string reason;
        FailureOr<CrossbarLayer> layer =
            CrossbarLayer::analyse(crossbar, *arch, batch, reason);
        if (failed(layer)) {
          reportDigital(op, reason);
          continue;
        }
        reportMapped(op, *layer);
        MatrixOp &matrix = matrices[nn::getMatrixKey(crossbar)];
        if (!matrix)
          matrix = createMatrix(op, *layer, symbols);
        if (failed(convert(crossbar, *layer, matrix)))
          return signalPassFailure();
      } else if (isa_and_present<nn::NNDialect>(op->getDialect())) {
        reportHostOp(op);
      }
    }
  }

private:
  MatrixOp createMatrix(Operation *op, const CrossbarLayer &layer,
                        SymbolTable &symbols) {
    StringRef kind = op->getName().stripDialect();
    std::string name = symbolFromName(nodeName(op->getLoc()), kind);
    OpBuilder builder(&getContext());
    auto type = RankedTensorType::get(
        {layer.geometry.matrixRows(), layer.geometry.outC},
        builder.getI8Type());
    Operation *function = op;
    while (function->getParentOp() != getOperation())
      function = function->getParentOp();
    builder.setInsertionPoint(function);
    auto matrix =
        MatrixOp::create(builder, op->getLoc(), name,
                         makeElements<int8_t>(type, layer.matrix, name),
                         layer.levels, layer.geometry.groups);
    symbols.insert(matrix);
    return matrix;
  }

  /// The statistics that calibration left on `op` under `name`.
  FailureOr<ElementsAttr> statistics(Operation *op, StringRef name,
                                     int64_t channels) {
    Attribute attribute = op->getAttr(name);
    if (!attribute)
      return ElementsAttr();
    auto elements = dyn_cast<ElementsAttr>(attribute);
    auto type =
        RankedTensorType::get({channels}, Float64Type::get(&getContext()));
    if (elements && cast<TypedAttr>(elements).getType() == type)
      return elements;
    return op->emitError("expected '")
           << name << "' to be " << type << ", but got " << attribute;
  }

  LogicalResult convert(CrossbarOpInterface op, const CrossbarLayer &layer,
                        MatrixOp matrix) {
    const WindowGeometry &g = layer.geometry;
    FailureOr<ElementsAttr> mean = statistics(op, "nn.mean", g.outC);
    FailureOr<ElementsAttr> deviation = statistics(op, "nn.deviation", g.outC);
    if (failed(mean) || failed(deviation))
      return failure();
    nn::TensorBuilder b(op->getLoc(), op);
    std::string name = matrix.getSymName().str();
    auto table = [&](ArrayRef<double> values, StringRef suffix) {
      return makeElements<double>(
          RankedTensorType::get({g.outC}, b.getF64Type()), values,
          name + suffix.str());
    };
    Value input = toChannelsLast(b, op.getCrossbarInput(), layer);
    float infinity = std::numeric_limits<float>::infinity();
    auto mvm = MvmOp::create(
        b,
        RankedTensorType::get({g.images, g.outH, g.outW, g.outC},
                              b.getF32Type()),
        name, input, ArrayRef<int64_t>{g.kernelH, g.kernelW},
        ArrayRef<int64_t>{g.strideH, g.strideW},
        ArrayRef<int64_t>{g.dilationH, g.dilationW},
        ArrayRef<int64_t>{g.padTop, g.padLeft}, table(layer.scale, "_scale"),
        table(layer.bias, "_bias"), APFloat(-infinity), APFloat(infinity),
        nn::Rounding::NearestEven, *mean, *deviation);
    Value result = fromChannelsLast(
        b, mvm, cast<RankedTensorType>(op->getResult(0).getType()), layer);
    op->replaceAllUsesWith(ValueRange(result));
    op->erase();
    return success();
  }

  static Value toChannelsLast(nn::TensorBuilder &b, Value value,
                              const CrossbarLayer &layer) {
    const WindowGeometry &g = layer.geometry;
    if (layer.channelsFirst) {
      int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
      SmallVector<int64_t> permutation{0};
      for (int64_t i = 2; i < rank; ++i)
        permutation.push_back(i);
      permutation.push_back(1);
      value = b.transpose(value, permutation);
    }
    return b.reshape(value, {g.images, g.inH, g.inW, g.inC});
  }

  static Value fromChannelsLast(nn::TensorBuilder &b, Value value,
                                RankedTensorType type,
                                const CrossbarLayer &layer) {
    if (!layer.channelsFirst)
      return b.reshape(value, type.getShape());
    SmallVector<int64_t> shape(type.getShape());
    std::rotate(shape.begin() + 1, shape.begin() + 2, shape.end());
    value = b.reshape(value, shape);
    SmallVector<int64_t> permutation{0, type.getRank() - 1};
    for (int64_t i = 1; i + 1 < type.getRank(); ++i)
      permutation.push_back(i);
    return b.transpose(value, permutation);
  }
};

} // namespace
