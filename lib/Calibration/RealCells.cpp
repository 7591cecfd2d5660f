// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Matrices whose cells are real numbers, parameters of a tuning program.
#include "RealCells.h"
#include "TuningProgram.h"
#include "cim/Dialect/CIM/IR/Splits.h"
#include "cim/Dialect/CIM/Transforms/Elements.h"
#include "cim/Dialect/CIM/Transforms/TargetArch.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;

namespace cim {

//===----------------------------------------------------------------------===//
// Which matrices, and their cells
//===----------------------------------------------------------------------===//

/// How the blocks of `matrix` are converted; false when that cuts a group.
static bool findConversions(TunedMatrix &matrix) {
  int64_t all = matrix.groups * matrix.rows;
  int64_t width = matrix.groups * matrix.columns;
  matrix.conversions.resize(matrix.planes);
  for (BlockOp block : matrix.op.getBody().getOps<BlockOp>()) {
    if (!block.getGain())
      return false;
    auto &conversions = matrix.conversions[block.getPlane()];
    int64_t k = block.getK(), count = block.getKCount();
    // A block diagonal of groups that are not cut is read as one.
    if (matrix.groups > 1)
      k = 0, count = all;
    auto *found = llvm::find_if(conversions,
                                [&](const Conversion &c) { return c.k == k; });
    if (found == conversions.end()) {
      conversions.push_back({k, count, std::vector<float>(width)});
      found = &conversions.back();
    }
    if (found->count != count)
      return false;
    for (int64_t n :
         llvm::seq(block.getN(), block.getN() + block.getNCount())) {
      int64_t first = n / matrix.columns * matrix.rows;
      int64_t begin = block.getK(), end = begin + block.getKCount();
      bool isApart = first >= end || first + matrix.rows <= begin;
      if (matrix.groups > 1 && isApart)
        continue;
      if (matrix.groups > 1 && (first < begin || first + matrix.rows > end))
        return false;
      found->gains[n] = block.getGain()->convertToFloat();
    }
  }
  for (const auto &conversions : matrix.conversions)
    for (const Conversion &conversion : conversions)
      if (llvm::is_contained(conversion.gains, 0.0f))
        return false;
  return true;
}

/// The place of every cell among those of the matrix, planes x K x N.
static std::vector<int64_t> findPlaces(const TunedMatrix &matrix) {
  std::vector<int64_t> places;
  places.reserve(matrix.planes * matrix.groups * matrix.rows * matrix.columns);
  int64_t width = matrix.groups * matrix.columns;
  int64_t plane = matrix.groups * matrix.rows * width;
  for (int64_t p = 0; p < matrix.planes; ++p)
    for (int64_t group = 0; group < matrix.groups; ++group)
      for (int64_t k = 0; k < matrix.rows; ++k)
        for (int64_t n = 0; n < matrix.columns; ++n)
          places.push_back(p * plane + (group * matrix.rows + k) * width +
                           group * matrix.columns + n);
  return places;
}

static FailureOr<std::optional<TunedMatrix>> openMatrix(MatrixOp op,
                                                        const Arch &arch) {
  std::optional<TunedMatrix> none;
  // Residual planes are no digits of an integer.
  if (!op.getSplit() || op.getSplit() == Split::Residual || op.getRepeat() != 1)
    return none;
  TunedMatrix matrix;
  matrix.op = op;
  matrix.planes = op.getCellsPerWeight();
  matrix.groups = op.getGroups();
  matrix.rows = op.getRows() / matrix.groups;
  matrix.columns = op.getColumns() / matrix.groups;
  matrix.limit = double(getCellLimit(arch));
  if (!findConversions(matrix))
    return none;
  auto significance = readElements<float>(op.getLoc(), *op.getSignificance());
  auto planes = readElements<int8_t>(op.getLoc(), *op.getPlanes());
  if (failed(significance) || failed(planes))
    return failure();
  matrix.significance = std::move(*significance);
  for (int64_t place : findPlaces(matrix))
    matrix.cells.push_back((*planes)[place]);
  return std::optional(std::move(matrix));
}

FailureOr<std::vector<TunedMatrix>>
collectTunedMatrices(ArrayRef<TunedLayer> layers, const Arch &arch) {
  llvm::MapVector<Operation *, bool> canTune;
  for (const TunedLayer &layer : layers) {
    MvmOp op = layer.op;
    auto matrix =
        SymbolTable::lookupNearestSymbolFrom<MatrixOp>(op, op.getMatrixAttr());
    bool hasScale = isa<quant::UniformQuantizedType>(
        op.getInput().getType().getElementType());
    canTune.try_emplace(matrix, true).first->second &=
        layer.isTuned() && hasScale;
  }
  std::vector<TunedMatrix> matrices;
  for (auto [op, isTuned] : canTune) {
    if (!isTuned)
      continue;
    FailureOr<std::optional<TunedMatrix>> matrix =
        openMatrix(cast<MatrixOp>(op), arch);
    if (failed(matrix))
      return failure();
    if (*matrix)
      matrices.push_back(std::move(**matrix));
  }
  return matrices;
}

LogicalResult setCells(const TunedMatrix &matrix, ArrayRef<double> cells) {
  MatrixOp op = matrix.op;
  auto planes = readElements<int8_t>(op.getLoc(), *op.getPlanes());
  if (failed(planes))
    return failure();
  for (auto [place, cell] : llvm::zip_equal(findPlaces(matrix), cells))
    (*planes)[place] = static_cast<int8_t>(std::rint(cell));
  std::vector<double> sums =
      addPlanes(*planes, matrix.planes, matrix.significance, op.getColumns());
  std::vector<int8_t> weights(sums.begin(), sums.end());
  std::string name = op.getSymName().str();
  auto type = [&](std::optional<ElementsAttr> attribute) {
    return cast<RankedTensorType>(cast<TypedAttr>(*attribute).getType());
  };
  op.setPlanesAttr(
      makeElements<int8_t>(type(op.getPlanes()), *planes, name + "_planes"));
  op.setWeightsAttr(makeElements<int8_t>(type(op.getWeights()), weights, name));
  return success();
}

//===----------------------------------------------------------------------===//
// Sums in float
//===----------------------------------------------------------------------===//

namespace {

/// Builds the sums of one `cim.mvm`.
class SumBuilder {
public:
  SumBuilder(nn::TensorBuilder &b, MvmOp op, const TunedMatrix &matrix,
             const Arch &arch)
      : b(b), op(op), matrix(matrix), arch(arch),
        unit(cast<quant::UniformQuantizedType>(
                 op.getInput().getType().getElementType())
                 .getScale()) {}

  Value build(ValueRange planes);

private:
  /// The input at every tap of all windows, in integers, batch x rows x columns
  /// x channels.
  SmallVector<Value> buildTaps();
  /// What all windows read: windows x K, of several groups groups x windows x
  /// K.
  Value buildWindows(ArrayRef<Value> taps);
  /// Windows x N, of `weights` (groups x rows x columns).
  Value multiply(Value weights, const Conversion &conversion);
  Value multiplyDepthwise(Value weights);
  /// What converters make of products, in units of the integer sum, times the
  /// significance.
  Value convert(Value products, const Conversion &conversion,
                ArrayRef<float> significance);

  bool isDepthwise() {
    return matrix.groups > 1 && matrix.columns == 1 &&
           matrix.groups == op.getInput().getType().getDimSize(3);
  }

  nn::TensorBuilder &b;
  MvmOp op;
  const TunedMatrix &matrix;
  const Arch &arch;
  double unit; // of the input
  SmallVector<Value> taps;
  Value windows;
};

} // namespace

SmallVector<Value> SumBuilder::buildTaps() {
  ArrayRef<int64_t> in = op.getInput().getType().getShape(),
                    out = op.getType().getShape();
  // Integers without any error: that of sums would decide what is rounded up.
  Value input = b.make<nn::RoundOp>(
      b.make<nn::MulOp>(b.real(op.getInput()), b.scalar(1 / unit)));
  SmallVector<int64_t> begin(4, 0), end(4, 0), steps(4, 1);
  for (int d : {0, 1}) {
    steps[d + 1] = op.getStrides()[d];
    int64_t reach = (out[d + 1] - 1) * op.getStrides()[d] +
                    (op.getKernel()[d] - 1) * op.getDilations()[d] + 1;
    begin[d + 1] = op.getPads()[d];
    end[d + 1] = std::max<int64_t>(reach - in[d + 1] - op.getPads()[d], 0);
  }
  input = b.pad(input, begin, end);
  SmallVector<Value> taps;
  for (int64_t y = 0; y < op.getKernel()[0]; ++y)
    for (int64_t x = 0; x < op.getKernel()[1]; ++x)
      taps.push_back(b.slice(
          input, {0, y * op.getDilations()[0], x * op.getDilations()[1], 0},
          {out[0], out[1], out[2], in[3]}, steps));
  return taps;
}

Value SumBuilder::buildWindows(ArrayRef<Value> taps) {
  ArrayRef<int64_t> shape = nn::shapeOf(taps.front());
  int64_t count = shape[0] * shape[1] * shape[2], groups = matrix.groups;
  int64_t channels = shape[3] / groups;
  SmallVector<Value> parts;
  for (Value tap : taps)
    parts.push_back(b.reshape(tap, {count, groups, channels}));
  Value all = parts.size() == 1 ? parts.front()
                                : b.make<nn::ConcatOp>(parts, int64_t(2));
  if (groups == 1)
    return b.reshape(all, {count, matrix.rows});
  return b.transpose(all, {1, 0, 2});
}

Value SumBuilder::multiplyDepthwise(Value weights) {
  // Groups x taps x 1.
  Value byTap =
      b.transpose(b.reshape(weights, {matrix.groups, matrix.rows}), {1, 0});
  Value sum;
  for (auto [k, tap] : llvm::enumerate(taps)) {
    Value own = b.reshape(b.rows(byTap, k, 1), {matrix.groups});
    Value product = b.make<nn::MulOp>(tap, own);
    sum = sum ? b.make<nn::AddOp>(sum, product) : product;
  }
  ArrayRef<int64_t> shape = nn::shapeOf(sum);
  return b.reshape(sum, {shape[0] * shape[1] * shape[2], shape[3]});
}

Value SumBuilder::multiply(Value weights, const Conversion &conversion) {
  if (isDepthwise())
    return multiplyDepthwise(weights);
  if (matrix.groups == 1) {
    Value own = b.reshape(weights, {matrix.rows, matrix.columns}),
          read = windows;
    if (conversion.count < matrix.rows) {
      own = b.rows(own, conversion.k, conversion.count);
      read = b.columns(read, conversion.k, conversion.count);
    }
    return b.make<nn::MatMulOp>(read, own, Value(), /*transpose_b=*/false);
  }
  Value products = b.transpose(
      b.make<nn::MatMulOp>(windows, weights, Value(), /*transpose_b=*/false),
      {1, 0, 2});
  int64_t count = nn::shapeOf(products)[0];
  return b.reshape(products, {count, matrix.groups * matrix.columns});
}

Value SumBuilder::convert(Value products, const Conversion &conversion,
                          ArrayRef<float> significance) {
  int64_t width = significance.size();
  std::vector<float> fromCodes;
  for (auto [gain, factor] : llvm::zip_equal(conversion.gains, significance))
    fromCodes.push_back(factor / gain);
  Value codes = b.make<nn::ClampOp>(
      b.make<nn::MulOp>(products, b.constant(width, conversion.gains)),
      APFloat(float(arch.adcLo())), APFloat(float(arch.adcHi())));
  codes = arch.adcRounding() == Arch::Rounding::NearestEven
              ? b.make<nn::RoundOp>(codes)
              : b.make<nn::FloorOp>(codes);
  if (arch.adcRounding() == Arch::Rounding::MidRise)
    codes = b.make<nn::AddOp>(codes, b.scalar(0.5f));
  return b.make<nn::MulOp>(codes, b.constant(width, fromCodes));
}

Value SumBuilder::build(ValueRange planes) {
  taps = buildTaps();
  if (!isDepthwise())
    windows = buildWindows(taps);
  int64_t width = matrix.groups * matrix.columns;
  Value sum;
  for (auto [p, cells] : llvm::enumerate(planes)) {
    Value weights =
        b.reshape(cells, {matrix.groups, matrix.rows, matrix.columns});
    for (const Conversion &conversion : matrix.conversions[p]) {
      Value found =
          convert(multiply(weights, conversion), conversion,
                  ArrayRef(matrix.significance).slice(p * width, width));
      sum = sum ? b.make<nn::AddOp>(sum, found) : found;
    }
  }
  return b.reshape(sum, op.getType().getShape());
}

Value buildSums(nn::TensorBuilder &b, MvmOp op, const TunedMatrix &matrix,
                const Arch &arch, ValueRange planes) {
  return SumBuilder(b, op, matrix, arch).build(planes);
}

} // namespace cim
