// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Element-wise operators.
#include "HostArithmetic.h"
#include "NodeBinder.h"
#include <cfloat>

using namespace mlir;

namespace cim::onnx {

template <typename OpTy, HostBinary kOp>
static LogicalResult importBinary(NodeBinder &b) {
  if (b.numInputs() == 2 && b.foldsOnHost())
    return foldBinary(b, kOp);
  Value left = b.floatInput(0), right = b.floatInput(1);
  return b.result(b.create<OpTy>(left, right));
}

template <typename OpTy, double (*kFunction)(double)>
static LogicalResult importUnary(NodeBinder &b) {
  if (b.foldsOnHost())
    return foldUnary(b, kFunction);
  return b.result(b.create<OpTy>(b.floatInput(0)));
}

/// Any number of summands.
static LogicalResult importSum(NodeBinder &b) {
  Value sum = b.floatInput(0);
  for (size_t i = 1; i < b.numInputs(); ++i)
    sum = b.create<nn::AddOp>(sum, b.floatInput(i));
  return b.numInputs() == 1 ? b.forward(0) : b.result(sum);
}

static double relu(double x) { return x > 0 ? x : 0; }
static double floorOf(double x) { return std::floor(x); }
/// The default rounding mode is to nearest, ties to even.
static double roundOf(double x) { return std::nearbyint(x); }

/// A bound left out does not bind; [0, inf) is a relu.
static LogicalResult clamp(NodeBinder &b, std::optional<float> lo,
                           std::optional<float> hi) {
  // Exporters write "no bound" as the largest float, or infinity.
  if (lo && *lo <= -FLT_MAX)
    lo.reset();
  if (hi && *hi >= FLT_MAX)
    hi.reset();
  Value input = b.floatInput(0);
  if (b.failed())
    return failure();
  if (!lo && !hi)
    return b.forward(0);
  if (lo == 0.0f && !hi)
    return b.result(b.create<nn::ReluOp>(input));
  float low = lo.value_or(-FLT_MAX), high = hi.value_or(FLT_MAX);
  if (!(low <= high))
    return b.error() << "expected min <= max, but got " << low << " and "
                     << high;
  return b.result(
      b.create<nn::ClampOp>(input, llvm::APFloat(low), llvm::APFloat(high)));
}

static LogicalResult importClipAttributes(NodeBinder &b) {
  return clamp(b, b.getFloat("min", -FLT_MAX), b.getFloat("max", FLT_MAX));
}

static LogicalResult importClip(NodeBinder &b) {
  std::optional<float> lo, hi;
  if (b.hasInput(1))
    lo = b.constantNumber(1, "min");
  if (b.hasInput(2))
    hi = b.constantNumber(2, "max");
  return clamp(b, lo, hi);
}

void registerElementwise(HandlerTable &table) {
  const OpSummary binary{Place::Digital,
                         "float with broadcasting; integers when constant"};
  table.add("Add", binary, {{7, importBinary<nn::AddOp, HostBinary::Add>}});
  table.add("Sub", binary, {{7, importBinary<nn::SubOp, HostBinary::Sub>}});
  table.add("Mul", binary, {{7, importBinary<nn::MulOp, HostBinary::Mul>}});
  table.add("Div", binary, {{7, importBinary<nn::DivOp, HostBinary::Div>}});
  table.add("Sum", {Place::Digital, "float, any number of operands"},
            {{8, importSum}});
  table.add("Relu", {Place::Digital, "float"},
            {{6, importUnary<nn::ReluOp, relu>}});
  table.add("Floor", {Place::Digital, "float"},
            {{6, importUnary<nn::FloorOp, floorOf>}});
  table.add("Round", {Place::Digital, "float"},
            {{11, importUnary<nn::RoundOp, roundOf>}});
  table.add("Clip", {Place::Digital, "constant bounds, float"},
            {{6, importClipAttributes}, {11, importClip}});
}

} // namespace cim::onnx
