// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The gradient of cim.mvm.
#include "GradientRules.h"
#include "cim/Dialect/CIM/IR/Splits.h"
#include "cim/Dialect/CIM/Transforms/Elements.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;
using namespace cim;
using namespace cim::nn;

/// The numbers that a matrix stands for: its weights, or the sums of its cells.
static FailureOr<std::vector<double>> readMatrix(MatrixOp op) {
  bool isSplit = op.getSplit().has_value();
  auto cells = readElements<int8_t>(op.getLoc(), isSplit ? *op.getPlanes()
                                                         : op.getWeights());
  if (failed(cells))
    return failure();
  if (!isSplit)
    return std::vector<double>(cells->begin(), cells->end());
  auto significance = readElements<float>(op.getLoc(), *op.getSignificance());
  if (failed(significance))
    return failure();
  return addPlanes(*cells, op.getCellsPerWeight(), *significance,
                   op.getColumns());
}

/// Only what a sum over integers, a factor and an offset make of them.
static LogicalResult checkLinear(MvmOp op) {
  if (!op.getType().getElementType().isF32())
    return op.emitOpError("has no gradient: expected a result of 'f32', but "
                          "got ")
           << op.getType().getElementType();
  bool isClamped = !op.getLo().isInfinity() || !op.getLo().isNegative() ||
                   !op.getHi().isInfinity() || op.getHi().isNegative();
  if (isClamped)
    return op.emitOpError("has no gradient: expected an infinite range, but "
                          "got ")
           << op.getLoAttr() << " to " << op.getHiAttr();
  Type element = op.getInput().getType().getElementType();
  if (!isa<quant::UniformQuantizedType>(element))
    return op.emitOpError("has no gradient: expected an input with one "
                          "scale, but got ")
           << element;
  return success();
}

/// C x F/groups x kernel, last tap first: what an element of the input adds to
/// the results, per unit of what it stands for.
static FailureOr<std::vector<float>> readKernels(MvmOp op, MatrixOp matrix) {
  FailureOr<std::vector<double>> weights = readMatrix(matrix);
  auto scales = readElements<double>(op.getLoc(), op.getScale());
  if (failed(weights) || failed(scales))
    return failure();
  double unit = cast<quant::UniformQuantizedType>(
                    op.getInput().getType().getElementType())
                    .getScale();
  int64_t groups = matrix.getGroups(),
          taps = op.getKernel()[0] * op.getKernel()[1];
  int64_t channels = shapeOf(op.getInput())[3] / groups,
          columns = matrix.getColumns(), results = columns / groups;
  std::vector<float> kernels;
  kernels.reserve(weights->size() / groups);
  for (int64_t group = 0; group < groups; ++group)
    for (int64_t channel = 0; channel < channels; ++channel)
      for (int64_t result = 0; result < results; ++result)
        for (int64_t tap = taps; tap-- > 0;) {
          int64_t row = (group * taps + tap) * channels + channel,
                  column = group * results + result;
          kernels.push_back((*weights)[row * columns + column] *
                            (*scales)[column] / unit);
        }
  return kernels;
}

/// Windows of one element each, all of them.
static bool isPointwise(MvmOp op, int64_t groups) {
  auto are = [](ArrayRef<int64_t> values, int64_t value) {
    return llvm::all_of(values, [=](int64_t v) { return v == value; });
  };
  return groups == 1 && are(op.getKernel(), 1) && are(op.getStrides(), 1) &&
         are(op.getPads(), 0) &&
         shapeOf(op.getInput()).drop_back() ==
             shapeOf(op.getResult()).drop_back();
}

static LogicalResult differentiateMvm(MvmOp op, Value gradient,
                                      Gradients &gradients) {
  auto matrix =
      SymbolTable::lookupNearestSymbolFrom<MatrixOp>(op, op.getMatrixAttr());
  if (failed(checkLinear(op)))
    return failure();
  FailureOr<std::vector<float>> values = readKernels(op, matrix);
  if (failed(values))
    return failure();
  int64_t groups = matrix.getGroups();
  ArrayRef<int64_t> input = shapeOf(op.getInput()), kernel = op.getKernel();
  int64_t columns = matrix.getColumns();
  std::string name = (op.getMatrix() + "_gradient").str();
  if (isPointwise(op, groups)) {
    Value weights = gradients.constant({input[3], columns}, *values, name);
    gradients.add(op.getInput(), [&] {
      Value rows = gradients.reshape(gradient,
                                     {input[0] * input[1] * input[2], columns});
      return gradients.reshape(gradients.make<MatMulOp>(rows, weights, Value(),
                                                        /*transpose_b=*/true),
                               input);
    });
    return success();
  }
  Value kernels = gradients.constant(
      {input[3], columns / groups, kernel[0], kernel[1]}, *values, name);
  Windows windows{{input[1], input[2]},
                  SmallVector<int64_t>(kernel),
                  SmallVector<int64_t>(op.getStrides()),
                  SmallVector<int64_t>(op.getDilations()),
                  SmallVector<int64_t>(op.getPads())};
  gradients.add(op.getInput(), [&] {
    Value nchw = gradients.transpose(gradient, {0, 3, 1, 2});
    Value result =
        createInputGradient(gradients, nchw, kernels, windows, groups);
    return gradients.transpose(result, {0, 2, 3, 1});
  });
  return success();
}

void cim::nn::addMvmRules(GradientRules &rules) {
  rules.add<MvmOp>(differentiateMvm);
}
