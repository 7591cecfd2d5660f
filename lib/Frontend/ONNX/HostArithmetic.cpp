// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arithmetic on constants at import.
#include "HostArithmetic.h"
#include "mlir/Dialect/Traits.h"

using namespace mlir;

namespace cim::onnx {

/// The operand with every element of the broadcast shape.
static Tensor broadcastTo(const Tensor &tensor, ArrayRef<int64_t> shape) {
  SmallVector<int64_t> own = rowMajorStrides(tensor.dims);
  SmallVector<int64_t> strides(shape.size(), 0);
  size_t missing = shape.size() - own.size();
  for (size_t i = 0; i < own.size(); ++i)
    strides[missing + i] = tensor.dims[i] == 1 ? 0 : own[i];
  return strided(tensor, shape, 0, strides);
}

static int64_t evaluate(HostBinary op, int64_t a, int64_t b) {
  // Unsigned, so that wrapping is defined.
  uint64_t x = a, y = b;
  switch (op) {
  case HostBinary::Add:
    return static_cast<int64_t>(x + y);
  case HostBinary::Sub:
    return static_cast<int64_t>(x - y);
  case HostBinary::Mul:
    return static_cast<int64_t>(x * y);
  case HostBinary::Div:
    return b == -1 ? static_cast<int64_t>(-x) : a / b;
  }
  return 0;
}

static double evaluate(HostBinary op, double a, double b) {
  switch (op) {
  case HostBinary::Add:
    return a + b;
  case HostBinary::Sub:
    return a - b;
  case HostBinary::Mul:
    return a * b;
  case HostBinary::Div:
    return a / b;
  }
  return 0;
}

LogicalResult foldBinary(NodeBinder &b, HostBinary op) {
  HostTensor left = b.host(0), right = b.host(1);
  if (b.failed())
    return failure();
  if (left->type != right->type)
    return b.error() << "expected operands of one type, but got "
                     << typeName(left->type) << " and "
                     << typeName(right->type);
  SmallVector<int64_t> shape;
  if (!OpTrait::util::getBroadcastedShape(left->dims, right->dims, shape))
    return b.error() << "shapes " << shapeText(left->dims) << " and "
                     << shapeText(right->dims) << " do not broadcast";
  if (failed(b.checkFold(shape)))
    return failure();
  Tensor x = broadcastTo(*left, shape), y = broadcastTo(*right, shape);
  if (isFloat(x.type)) {
    SmallVector<double> values = toDoubles(x);
    for (auto [value, other] : llvm::zip_equal(values, toDoubles(y)))
      value = evaluate(op, value, other);
    return b.result(fromDoubles(x.type, shape, values));
  }
  SmallVector<int64_t> values = toInts(x), others = toInts(y);
  if (op == HostBinary::Div && llvm::is_contained(others, 0))
    return b.error() << "integer division by zero";
  for (auto [value, other] : llvm::zip_equal(values, others))
    value = evaluate(op, value, other);
  return b.result(fromInts(x.type, shape, values));
}

LogicalResult foldUnary(NodeBinder &b, double (*function)(double)) {
  HostTensor operand = b.host(0);
  if (b.failed())
    return failure();
  if (!isFloat(operand->type))
    return b.error() << "expected float elements, but got "
                     << typeName(operand->type);
  SmallVector<double> values = toDoubles(*operand);
  for (double &value : values)
    value = function(value);
  return b.result(fromDoubles(operand->type, operand->dims, values));
}

} // namespace cim::onnx
