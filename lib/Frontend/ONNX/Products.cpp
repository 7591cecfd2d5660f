// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gemm and MatMul. A crossbar holds the right operand, so a constant on the
// left changes sides: A B = (B' A')'.
#include "Products.h"

using namespace mlir;

namespace cim::onnx {

using nn::shapeOf;

Value transposeMatrices(NodeBinder &b, Value value) {
  if (b.failed() || !value)
    return {};
  int64_t rank = shapeOf(value).size();
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(rank));
  std::swap(permutation[rank - 1], permutation[rank - 2]);
  return b.create<nn::TransposeOp>(value, permutation);
}

static Value scaled(NodeBinder &b, Value value, float factor) {
  if (factor == 1.0f || !value)
    return value;
  return b.create<nn::MulOp>(value, b.createScalar(factor));
}

//===----------------------------------------------------------------------===//
// Gemm
//===----------------------------------------------------------------------===//

/// The bias as N values when it is the same for every row, else null.
static Value rowBias(NodeBinder &b, Value bias, int64_t columns) {
  ArrayRef<int64_t> shape = shapeOf(bias);
  if (shape.empty() || shape.back() != columns ||
      llvm::any_of(shape.drop_back(), [](int64_t dim) { return dim != 1; }))
    return {};
  return b.createReshape(bias, {columns});
}

/// alpha * A' * B' + beta * C. alpha goes into the weights, where constant
/// folding removes it.
static LogicalResult importGemm(NodeBinder &b) {
  Value a = b.floatInput(0), w = b.floatInput(1), c = b.optionalFloatInput(2);
  float alpha = b.getFloat("alpha", 1.0f), beta = b.getFloat("beta", 1.0f);
  bool transA = b.getBool("transA", false), transB = b.getBool("transB", false);
  if (b.failed())
    return failure();
  if (shapeOf(a).size() != 2 || shapeOf(w).size() != 2)
    return b.error() << "expected operands of rank 2, but got "
                     << shapeText(shapeOf(a)) << " and "
                     << shapeText(shapeOf(w));
  bool isSwapped = b.isConstant(a) && !b.isConstant(w);
  if (isSwapped) {
    std::swap(a, w);
    std::tie(transA, transB) = std::pair(!transB, !transA);
  }
  if (transA)
    a = transposeMatrices(b, a);
  w = scaled(b, w, alpha);
  if (b.failed())
    return failure();
  int64_t columns = shapeOf(w)[transB ? 0 : 1];
  c = beta == 0.0f ? Value() : scaled(b, c, beta);
  Value bias = c && !isSwapped ? rowBias(b, c, columns) : Value();
  Value product = b.create<nn::MatMulOp>(a, w, bias, transB);
  if (isSwapped)
    product = transposeMatrices(b, product);
  if (!c || bias || b.failed())
    return b.result(product);
  Value sum = b.create<nn::AddOp>(product, c);
  if (sum && shapeOf(sum) != shapeOf(product))
    return b.error() << "expected C to broadcast to "
                     << shapeText(shapeOf(product)) << ", but got "
                     << shapeText(shapeOf(c));
  return b.result(sum);
}

//===----------------------------------------------------------------------===//
// MatMul
//===----------------------------------------------------------------------===//

/// A batch of one matrix as a matrix.
static Value asMatrix(NodeBinder &b, Value value) {
  ArrayRef<int64_t> shape = shapeOf(value);
  if (llvm::any_of(shape.drop_back(2), [](int64_t dim) { return dim != 1; }))
    return value;
  return b.createReshape(value, shape.take_back(2));
}

/// The product of matrices, one operand of which may be constant.
static Value multiply(NodeBinder &b, Value left, Value right) {
  if (b.isConstant(right))
    return b.create<nn::MatMulOp>(left, asMatrix(b, right), Value(), false);
  if (!b.isConstant(left))
    return b.create<nn::MatMulOp>(left, right, Value(), false);
  Value swapped = b.create<nn::MatMulOp>(transposeMatrices(b, right),
                                         asMatrix(b, left), Value(), true);
  return transposeMatrices(b, swapped);
}

Value createMatMul(NodeBinder &b, Value left, Value right) {
  if (b.failed())
    return {};
  SmallVector<int64_t> leftShape(shapeOf(left)), rightShape(shapeOf(right));
  if (leftShape.empty() || rightShape.empty()) {
    b.error() << "expected operands of rank 1 or more, but got a scalar";
    return {};
  }
  bool leftVector = leftShape.size() == 1, rightVector = rightShape.size() == 1;
  if (leftVector)
    left = b.createReshape(left, {1, leftShape[0]});
  if (rightVector)
    right = b.createReshape(right, {rightShape[0], 1});
  Value product = multiply(b, left, right);
  if (!product)
    return {};
  size_t rank = std::max(leftShape.size(), rightShape.size());
  SmallVector<int64_t> shape(shapeOf(product));
  if (shape.size() < rank)
    shape.insert(shape.begin(), rank - shape.size(), 1);
  if (rightVector)
    shape.pop_back();
  if (leftVector)
    shape.erase(shape.end() - (rightVector ? 1 : 2));
  return b.createReshape(product, shape);
}

static LogicalResult importMatMul(NodeBinder &b) {
  Value left = b.floatInput(0), right = b.floatInput(1);
  return b.result(createMatMul(b, left, right));
}

void registerProducts(HandlerTable &table) {
  table.add("Gemm", {Place::Crossbar, "alpha, beta, transA, transB; any C"},
            {{7, importGemm}});
  table.add("MatMul", {Place::Crossbar, "any rank, float"},
            {{1, importMatMul}});
}

} // namespace cim::onnx
