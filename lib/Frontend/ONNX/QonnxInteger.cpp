// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rounding and bounds of QONNX, on constants and at run time.
#include "QonnxInteger.h"
#include "llvm/ADT/StringSwitch.h"
#include <cmath>

using namespace mlir;

namespace cim::onnx {

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

QonnxInteger::Mode readRoundingMode(NodeBinder &b, StringRef byDefault) {
  StringRef name = b.getString("rounding_mode", byDefault);
  auto mode =
      llvm::StringSwitch<std::optional<QonnxInteger::Mode>>(name.upper())
          .Cases({"ROUND", "HALF_EVEN"}, QonnxInteger::HalfEven)
          .Case("CEIL", QonnxInteger::Ceil)
          .Case("FLOOR", QonnxInteger::Floor)
          .Case("UP", QonnxInteger::Up)
          .Cases({"DOWN", "ROUND_TO_ZERO"}, QonnxInteger::Down)
          .Case("HALF_UP", QonnxInteger::HalfUp)
          .Case("HALF_DOWN", QonnxInteger::HalfDown)
          .Default(std::nullopt);
  if (!mode)
    b.error() << "expected 'rounding_mode' to be ROUND, CEIL, FLOOR, UP, DOWN, "
                 "HALF_UP or HALF_DOWN, but got '"
              << name << "'";
  return mode.value_or(QonnxInteger::HalfEven);
}

QonnxInteger readInteger(NodeBinder &b, size_t bitWidth, bool isSigned,
                         bool isNarrow) {
  QonnxInteger integer;
  isSigned = b.getBool("signed", isSigned);
  isNarrow = b.getBool("narrow", isNarrow);
  double bits = b.constantNumber(bitWidth, "bit width");
  if (!b.failed() && !(bits >= 1 && bits <= 32 && bits == std::floor(bits)))
    b.error() << "expected a bit width of 1 to 32, but got " << bits;
  if (b.failed())
    return integer;
  integer.isBipolar = isSigned && bits == 1;
  double values = std::exp2(isSigned ? bits - 1 : bits);
  integer.lowest = isSigned ? -values + isNarrow : 0;
  integer.highest = values - 1 - (!isSigned && isNarrow);
  if (integer.isBipolar) {
    integer.lowest = -1;
    integer.highest = 1;
  }
  return integer;
}

std::optional<DataType> QonnxInteger::storageType() const {
  for (DataType type :
       {DataType::Int8, DataType::UInt8, DataType::Int16, DataType::UInt16}) {
    std::optional<Storage> storage = storageOf(type);
    if (lowest >= double(storage->lowest) &&
        highest <= double(storage->highest) && lowest < highest)
      return type;
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Rounding
//===----------------------------------------------------------------------===//

static float roundNumber(float x, QonnxInteger::Mode mode) {
  float magnitude = std::abs(x);
  switch (mode) {
  case QonnxInteger::HalfEven:
    return std::nearbyint(x);
  case QonnxInteger::Ceil:
    return std::ceil(x);
  case QonnxInteger::Floor:
    return std::floor(x);
  case QonnxInteger::Up:
    return std::copysign(std::ceil(magnitude), x);
  case QonnxInteger::Down:
    return std::trunc(x);
  case QonnxInteger::HalfUp:
    return std::copysign(std::floor(magnitude + 0.5f), x);
  case QonnxInteger::HalfDown:
    return std::copysign(std::ceil(magnitude - 0.5f), x);
  }
  llvm_unreachable("covered switch");
}

float QonnxInteger::apply(float x) const {
  if (isBipolar)
    return x >= 0 ? 1.0f : -1.0f;
  // NaN becomes 0, as at run time.
  if (std::isnan(x))
    return 0;
  return roundNumber(
      std::clamp(x, static_cast<float>(lowest), static_cast<float>(highest)),
      mode);
}

static Value roundMagnitude(NodeBinder &b, Value x, QonnxInteger::Mode mode) {
  Value magnitude = b.create<nn::AbsOp>(x);
  Value half = b.createScalar(0.5f);
  switch (mode) {
  case QonnxInteger::Up:
    return b.create<nn::CeilOp>(magnitude);
  case QonnxInteger::Down:
    return b.create<nn::FloorOp>(magnitude);
  case QonnxInteger::HalfUp:
    return b.create<nn::FloorOp>(b.create<nn::AddOp>(magnitude, half));
  default:
    return b.create<nn::CeilOp>(b.create<nn::SubOp>(magnitude, half));
  }
}

static Value roundTensor(NodeBinder &b, Value x, QonnxInteger::Mode mode) {
  switch (mode) {
  case QonnxInteger::HalfEven:
    return b.create<nn::RoundOp>(x);
  case QonnxInteger::Ceil:
    return b.create<nn::CeilOp>(x);
  case QonnxInteger::Floor:
    return b.create<nn::FloorOp>(x);
  default:
    break;
  }
  Value rounded = roundMagnitude(b, x, mode);
  Value isNegative =
      b.create<nn::CompareOp>(x, b.createScalar(0.0f), nn::Predicate::Less);
  return b.create<nn::SelectOp>(isNegative, b.create<nn::NegOp>(rounded),
                                rounded);
}

Value QonnxInteger::apply(NodeBinder &b, Value x) const {
  if (isBipolar) {
    Value isNegative =
        b.create<nn::CompareOp>(x, b.createScalar(0.0f), nn::Predicate::Less);
    return b.create<nn::SelectOp>(isNegative, b.createScalar(-1.0f),
                                  b.createScalar(1.0f));
  }
  Value bounded =
      b.create<nn::ClampOp>(x, llvm::APFloat(static_cast<float>(lowest)),
                            llvm::APFloat(static_cast<float>(highest)));
  return roundTensor(b, bounded, mode);
}

} // namespace cim::onnx
