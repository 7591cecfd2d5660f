// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Comparisons, truth values, bits, and choices between numbers.
#include "NodeBinder.h"

using namespace mlir;

namespace cim::onnx {

static Type elementOf(Value value) {
  return cast<ShapedType>(value.getType()).getElementType();
}

/// The truth value that `value` is not.
static Value invert(NodeBinder &b, Value value) {
  Value yes = b.createConstant(fromInts(DataType::Bool, {}, int64_t(1)));
  return b.create<nn::XorOp>(value, yes);
}

//===----------------------------------------------------------------------===//
// Comparisons
//===----------------------------------------------------------------------===//

template <nn::Predicate kPredicate, bool kSwap = false>
static LogicalResult importCompare(NodeBinder &b) {
  Value left = b.plainInput(0), right = b.plainInput(1);
  if (kSwap)
    std::swap(left, right);
  return b.result(b.create<nn::CompareOp>(left, right, kPredicate));
}

/// NaN is the one number that does not equal itself.
static LogicalResult importIsNaN(NodeBinder &b) {
  Value x = b.floatInput(0);
  return b.result(
      invert(b, b.create<nn::CompareOp>(x, x, nn::Predicate::Equal)));
}

static LogicalResult importIsInf(NodeBinder &b) {
  bool negative = b.getBool("detect_negative", true),
       positive = b.getBool("detect_positive", true);
  Value x = b.floatInput(0);
  float infinity = std::numeric_limits<float>::infinity();
  auto equals = [&](bool wanted, float value) {
    // No number equals NaN.
    return b.create<nn::CompareOp>(x, b.createScalar(wanted ? value : NAN),
                                   nn::Predicate::Equal);
  };
  return b.result(b.create<nn::OrOp>(equals(positive, infinity),
                                     equals(negative, -infinity)));
}

//===----------------------------------------------------------------------===//
// Truth values and bits
//===----------------------------------------------------------------------===//

template <typename OpTy> static LogicalResult importLogical(NodeBinder &b) {
  Value left = b.boolInput(0), right = b.boolInput(1);
  return b.result(b.create<OpTy>(left, right));
}

static LogicalResult importNot(NodeBinder &b) {
  return b.result(invert(b, b.boolInput(0)));
}

template <typename OpTy> static LogicalResult importBitwise(NodeBinder &b) {
  Value left = b.integerInput(0), right = b.integerInput(1);
  return b.result(b.create<OpTy>(left, right));
}

/// -1 has all bits set, also where it is an unsigned number.
static LogicalResult importBitwiseNot(NodeBinder &b) {
  Value x = b.integerInput(0);
  if (b.failed())
    return failure();
  Value all = b.createConstant(fromInts(dataType(elementOf(x)), {}, -1));
  return b.result(b.create<nn::XorOp>(x, all));
}

static LogicalResult importBitShift(NodeBinder &b) {
  StringRef direction = b.getString("direction", "");
  Value x = b.integerInput(0), by = b.integerInput(1);
  if (direction == "LEFT")
    return b.result(b.create<nn::ShiftLeftOp>(x, by));
  if (direction == "RIGHT")
    return b.result(b.create<nn::ShiftRightOp>(x, by));
  return b.error() << "expected 'direction' to be LEFT or RIGHT, but got '"
                   << direction << "'";
}

//===----------------------------------------------------------------------===//
// Where, Cast
//===----------------------------------------------------------------------===//

static LogicalResult importWhere(NodeBinder &b) {
  Value condition = b.boolInput(0), left = b.plainInput(1),
        right = b.plainInput(2);
  return b.result(b.create<nn::SelectOp>(condition, left, right));
}

/// Bits of a byte that an integer stored in it does not use.
static unsigned unusedBits(DataType type) {
  switch (type) {
  case DataType::Int2:
  case DataType::UInt2:
    return 6;
  case DataType::Int4:
  case DataType::UInt4:
    return 4;
  default:
    return 0;
  }
}

/// All floats are float32 here, so casts between them do nothing.
static LogicalResult castTo(NodeBinder &b, DataType type) {
  Type element = elementType(b.context(), type);
  if (!b.failed() && !element)
    return b.error() << "a cast to " << typeName(type) << " is not supported";
  Value x = b.plainInput(0);
  if (b.failed())
    return failure();
  unsigned unused = unusedBits(type);
  if (elementOf(x) == element && !unused)
    return b.forward(0);
  Value cast = b.createCast(x, element);
  if (!unused)
    return b.result(cast);
  // Out and back in again, with the sign that the upper bit then is.
  Value by = b.createScalar(element, unused);
  return b.result(
      b.create<nn::ShiftRightOp>(b.create<nn::ShiftLeftOp>(cast, by), by));
}

static LogicalResult importCast(NodeBinder &b) {
  b.ignore({"saturate", "round_mode"});
  return castTo(b, static_cast<DataType>(b.getInt("to", 0)));
}

static LogicalResult importCastLike(NodeBinder &b) {
  b.ignore({"saturate", "round_mode"});
  // A constant may have no elements, and a type that the IR does not have.
  if (HostTensor like = b.host(1))
    return castTo(b, like->type);
  Value like = b.plainInput(1);
  return like ? castTo(b, dataType(elementOf(like))) : failure();
}

/// Integers of one width differ in what their highest bit means.
static LogicalResult importBitCast(NodeBinder &b) {
  auto type = static_cast<DataType>(b.getInt("to", 0));
  Type element = elementType(b.context(), type);
  Value x = b.plainInput(0);
  if (b.failed())
    return failure();
  auto bytes = [](Type t) {
    return isa<IntegerType>(t) ? llvm::divideCeil(t.getIntOrFloatBitWidth(), 8)
                               : 0;
  };
  if (!element || element.isInteger(1) ||
      elementBytes(type) != bytes(element) ||
      bytes(element) != bytes(elementOf(x)))
    return b.error() << "expected integers of one width, but got "
                     << elementOf(x) << " and " << typeName(type);
  return b.result(b.createCast(x, element));
}

void registerLogic(HandlerTable &table) {
  using P = nn::Predicate;
  const OpSummary compare{Place::Digital, "with broadcasting"};
  table.add("Equal", compare, {{7, importCompare<P::Equal>}});
  table.add("Less", compare, {{7, importCompare<P::Less>}});
  table.add("LessOrEqual", compare, {{12, importCompare<P::LessEqual>}});
  table.add("Greater", compare, {{7, importCompare<P::Less, true>}});
  table.add("GreaterOrEqual", compare,
            {{12, importCompare<P::LessEqual, true>}});
  const OpSummary plain{Place::Digital, ""};
  table.add("IsNaN", plain, {{9, importIsNaN}});
  table.add("IsInf", plain, {{10, importIsInf}});
  table.add("And", compare, {{7, importLogical<nn::AndOp>}});
  table.add("Or", compare, {{7, importLogical<nn::OrOp>}});
  table.add("Xor", compare, {{7, importLogical<nn::XorOp>}});
  table.add("Not", plain, {{1, importNot}});
  table.add("BitwiseAnd", compare, {{18, importBitwise<nn::AndOp>}});
  table.add("BitwiseOr", compare, {{18, importBitwise<nn::OrOp>}});
  table.add("BitwiseXor", compare, {{18, importBitwise<nn::XorOp>}});
  table.add("BitwiseNot", plain, {{18, importBitwiseNot}});
  table.add("BitShift", compare, {{11, importBitShift}});
  table.add("Where", compare, {{9, importWhere}});
  const OpSummary casts{Place::Digital,
                        "between bool, integers of 8 to 64 bits and floats"};
  table.add("Cast", casts, {{6, importCast}});
  table.add("CastLike", casts, {{15, importCastLike}});
  table.add("BitCast", {Place::Digital, "between integers of one width"},
            {{26, importBitCast}});
}

} // namespace cim::onnx
