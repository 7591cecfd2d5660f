// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Evaluation of element-wise nn ops on constants, in the arithmetic of their
// element type: the same numbers that the compiled program would give.
#include "TypedElements.h"
#include "cim/Dialect/NN/Transforms/ConstantFolding.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

using namespace mlir;
using namespace cim;
using namespace cim::nn;

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

template <typename T> using Unary = T (*)(T);
template <typename T> using Binary = T (*)(T, T);

/// Integers wrap: computed without signs, whose overflow C++ leaves undefined.
template <typename T> static uint64_t bits(T value) {
  return static_cast<uint64_t>(value);
}

template <typename T> static T divide(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return a / b;
  if (b == T(0))
    return T(0);
  if (std::is_signed_v<T> && b == T(-1))
    return T(-bits(a));
  return T(a / b);
}

template <typename T> static T power(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return std::pow(a, b);
  if (std::is_signed_v<T> && b < T(0))
    return a == T(1) ? T(1) : a == T(-1) ? T(bits(b) & 1 ? -1 : 1) : T(0);
  uint64_t result = 1, square = bits(a);
  for (uint64_t rest = bits(b); rest; rest >>= 1, square *= square)
    if (rest & 1)
      result *= square;
  return T(result);
}

template <typename T> static T truncatedRemainder(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return std::fmod(a, b);
  else if (b == T(0) || (std::is_signed_v<T> && b == T(-1)))
    return T(0);
  else
    return T(a % b);
}

template <typename T> static T flooredRemainder(T a, T b) {
  T remainder = truncatedRemainder(a, b);
  return remainder != T(0) && (remainder < T(0)) != (b < T(0))
             ? T(remainder + b)
             : remainder;
}

/// As arith.maximumf and arith.minimumf: NaN wins.
template <typename T> static T larger(T a, T b) {
  return a != a || a > b ? a : b;
}
template <typename T> static T smaller(T a, T b) {
  return a != a || a < b ? a : b;
}

template <typename T> static T shiftLeft(T a, T b) {
  return bits(b) < 8 * sizeof(T) ? T(bits(a) << bits(b)) : T(0);
}
template <typename T> static T shiftRight(T a, T b) {
  return bits(b) < 8 * sizeof(T) ? T(a >> bits(b)) : a < 0 ? T(-1) : T(0);
}

/// The function of two numbers that `op` computes, or null.
template <typename T> static Binary<T> binaryFunction(Operation *op) {
  using F = Binary<T>;
  constexpr bool isReal = std::is_floating_point_v<T>;
  if (auto mod = dyn_cast<ModOp>(op))
    return mod.getTruncated() ? &truncatedRemainder<T> : &flooredRemainder<T>;
  F arithmetic = llvm::TypeSwitch<Operation *, F>(op)
                     .Case([](AddOp) -> F {
                       return [](T a, T b) {
                         return isReal ? T(a + b) : T(bits(a) + bits(b));
                       };
                     })
                     .Case([](SubOp) -> F {
                       return [](T a, T b) {
                         return isReal ? T(a - b) : T(bits(a) - bits(b));
                       };
                     })
                     .Case([](MulOp) -> F {
                       return [](T a, T b) {
                         return isReal ? T(a * b) : T(bits(a) * bits(b));
                       };
                     })
                     .Case([](DivOp) -> F { return &divide<T>; })
                     .Case([](PowOp) -> F { return &power<T>; })
                     .Case([](MaxOp) -> F { return &larger<T>; })
                     .Case([](MinOp) -> F { return &smaller<T>; })
                     .Default([](Operation *) -> F { return nullptr; });
  if constexpr (isReal)
    return arithmetic;
  else
    return llvm::TypeSwitch<Operation *, F>(op)
        .Case([](AndOp) -> F { return [](T a, T b) { return T(a & b); }; })
        .Case([](OrOp) -> F { return [](T a, T b) { return T(a | b); }; })
        .Case([](XorOp) -> F { return [](T a, T b) { return T(a ^ b); }; })
        .Case([](ShiftLeftOp) -> F { return &shiftLeft<T>; })
        .Case([](ShiftRightOp) -> F { return &shiftRight<T>; })
        .Default([&](Operation *) -> F { return arithmetic; });
}

/// The function of one number that `op` computes, or null.
template <typename T> static Unary<T> unaryFunction(Operation *op) {
  using F = Unary<T>;
  return llvm::TypeSwitch<Operation *, F>(op)
      .Case([](AbsOp) -> F {
        return [](T x) { return x < T(0) ? T(0 - bits(x)) : x; };
      })
      .Case([](NegOp) -> F { return [](T x) { return T(0 - bits(x)); }; })
      .Default([](Operation *) -> F { return nullptr; });
}

#define CIM_FUNCTION(OP, EXPRESSION)                                           \
  .Case([](OP) -> F { return [](float x) -> float { return EXPRESSION; }; })
template <> Unary<float> unaryFunction<float>(Operation *op) {
  using F = Unary<float>;
  F rounding =
      llvm::TypeSwitch<Operation *, F>(op)
      // clang-format off
      CIM_FUNCTION(AbsOp, std::fabs(x))
      CIM_FUNCTION(NegOp, -x)
      CIM_FUNCTION(ReluOp, 0 > x ? 0 : x)
      CIM_FUNCTION(FloorOp, std::floor(x))
      CIM_FUNCTION(CeilOp, std::ceil(x))
      CIM_FUNCTION(RoundOp, std::nearbyint(x))
      CIM_FUNCTION(SqrtOp, std::sqrt(x))
      CIM_FUNCTION(ExpOp, std::exp(x))
      CIM_FUNCTION(LogOp, std::log(x))
      CIM_FUNCTION(ErfOp, std::erf(x))
                          // clang-format on
                          .Default([](Operation *) -> F { return nullptr; });
  if (rounding)
    return rounding;
  return llvm::TypeSwitch<Operation *, F>(op)
      // clang-format off
      CIM_FUNCTION(SinOp, std::sin(x))
      CIM_FUNCTION(CosOp, std::cos(x))
      CIM_FUNCTION(TanOp, std::tan(x))
      CIM_FUNCTION(AsinOp, std::asin(x))
      CIM_FUNCTION(AcosOp, std::acos(x))
      CIM_FUNCTION(AtanOp, std::atan(x))
      CIM_FUNCTION(SinhOp, std::sinh(x))
      CIM_FUNCTION(CoshOp, std::cosh(x))
      CIM_FUNCTION(TanhOp, std::tanh(x))
      CIM_FUNCTION(AsinhOp, std::asinh(x))
      CIM_FUNCTION(AcoshOp, std::acosh(x))
      CIM_FUNCTION(AtanhOp, std::atanh(x))
                                          // clang-format on
                                          .Default([](Operation *) -> F {
                                            return nullptr;
                                          });
}
#undef CIM_FUNCTION

/// What `from` becomes as `To`; see nn.cast.
template <typename To, typename From> static To convert(From x) {
  if constexpr (std::is_same_v<To, bool>)
    return x != From(0);
  else if constexpr (std::is_floating_point_v<From> &&
                     !std::is_floating_point_v<To>) {
    if (x != x)
      return To(0);
    if (std::is_same_v<To, uint64_t> && x >= 9223372036854775808.0f)
      return x >= 18446744073709551616.0f ? To(18446742974197923840u)
                                          : static_cast<To>(x);
    if (x >= 9223372036854775808.0f)
      return To(9223371487098961920);
    return x < -9223372036854775808.0f ? To(INT64_MIN)
                                       : To(static_cast<int64_t>(x));
  } else
    return static_cast<To>(x);
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// Computes unary and binary ops whose result has the operands' type.
template <typename T>
static FailureOr<ElementsAttr> foldSameType(Operation *op) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  FailureOr<std::vector<T>> a =
      readBroadcast<T>(op->getOperand(0), type.getShape());
  if (failed(a))
    return failure();
  if (auto clamp = dyn_cast<ClampOp>(op)) {
    float lo = clamp.getLo().convertToFloat(),
          hi = clamp.getHi().convertToFloat();
    for (size_t i = 0; i < a->size(); ++i)
      (*a)[i] = T(std::min(std::max(float((*a)[i]), lo), hi));
    return makeTyped<T>(type, *a);
  }
  if (op->getNumOperands() == 1) {
    Unary<T> function = unaryFunction<T>(op);
    if (!function)
      return failure();
    for (size_t i = 0; i < a->size(); ++i)
      (*a)[i] = function((*a)[i]);
    return makeTyped<T>(type, *a);
  }
  Binary<T> function = binaryFunction<T>(op);
  FailureOr<std::vector<T>> b =
      readBroadcast<T>(op->getOperand(1), type.getShape());
  if (!function || failed(b))
    return failure();
  for (size_t i = 0; i < a->size(); ++i)
    (*a)[i] = function((*a)[i], (*b)[i]);
  return makeTyped<T>(type, *a);
}

template <typename T> static FailureOr<ElementsAttr> foldCompare(CompareOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  FailureOr<std::vector<T>> a = readBroadcast<T>(op.getA(), type.getShape());
  FailureOr<std::vector<T>> b = readBroadcast<T>(op.getB(), type.getShape());
  if (failed(a) || failed(b))
    return failure();
  std::vector<bool> result(a->size());
  for (size_t i = 0; i < result.size(); ++i) {
    T x = (*a)[i], y = (*b)[i];
    switch (op.getPredicate()) {
    case Predicate::Equal:
      result[i] = x == y;
      break;
    case Predicate::Less:
      result[i] = x < y;
      break;
    case Predicate::LessEqual:
      result[i] = x <= y;
      break;
    }
  }
  return makeTyped<bool>(type, result);
}

template <typename T> static FailureOr<ElementsAttr> foldSelect(SelectOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  FailureOr<std::vector<bool>> condition =
      readBroadcast<bool>(op.getCondition(), type.getShape());
  FailureOr<std::vector<T>> a = readBroadcast<T>(op.getA(), type.getShape());
  FailureOr<std::vector<T>> b = readBroadcast<T>(op.getB(), type.getShape());
  if (failed(condition) || failed(a) || failed(b))
    return failure();
  for (size_t i = 0; i < a->size(); ++i)
    if (!(*condition)[i])
      (*a)[i] = (*b)[i];
  return makeTyped<T>(type, *a);
}

template <typename From> static FailureOr<ElementsAttr> foldCast(CastOp op) {
  FailureOr<std::vector<From>> from = readTyped<From>(op.getInput());
  if (failed(from))
    return failure();
  auto type = cast<RankedTensorType>(op.getType());
  return withElementType(type.getElementType(),
                         [&](auto zero) -> FailureOr<ElementsAttr> {
                           using To = decltype(zero);
                           std::vector<To> to;
                           to.reserve(from->size());
                           for (From value : *from)
                             to.push_back(convert<To, From>(value));
                           return makeTyped<To>(type, to);
                         });
}

FailureOr<ElementsAttr> cim::nn::foldElementwise(Operation *op) {
  // The last operand has the element type that the op computes in.
  Value last = op->getOperands().back();
  return withElementType(getElementTypeOrSelf(last.getType()),
                         [&](auto zero) -> FailureOr<ElementsAttr> {
                           using T = decltype(zero);
                           if (auto compare = dyn_cast<CompareOp>(op))
                             return foldCompare<T>(compare);
                           if (auto select = dyn_cast<SelectOp>(op))
                             return foldSelect<T>(select);
                           if (auto cast = dyn_cast<CastOp>(op))
                             return foldCast<T>(cast);
                           return foldSameType<T>(op);
                         });
}
