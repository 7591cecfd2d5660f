// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Activation functions as compositions of nn ops.
#include "Activations.h"
#include "llvm/ADT/StringSwitch.h"
#include <cmath>

using namespace mlir;

namespace cim::onnx {

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

static Value scaled(NodeBinder &b, Value x, float factor) {
  return factor == 1.0f ? x : b.create<nn::MulOp>(x, b.createScalar(factor));
}

static Value shifted(NodeBinder &b, Value x, float summand) {
  return summand == 0.0f ? x : b.create<nn::AddOp>(x, b.createScalar(summand));
}

static Value lessThan(NodeBinder &b, Value x, float bound) {
  return b.create<nn::CompareOp>(x, b.createScalar(bound), nn::Predicate::Less);
}

static Value relu(NodeBinder &b, Value x, float, float) {
  return b.create<nn::ReluOp>(x);
}

static Value tanh(NodeBinder &b, Value x, float, float) {
  return b.create<nn::TanhOp>(x);
}

/// 1 / (1 + exp(-x)): where the power overflows, the quotient is 0.
static Value sigmoid(NodeBinder &b, Value x, float, float) {
  Value power = b.create<nn::ExpOp>(b.create<nn::NegOp>(x));
  return b.create<nn::DivOp>(b.createScalar(1), shifted(b, power, 1));
}

static Value affine(NodeBinder &b, Value x, float alpha, float beta) {
  return shifted(b, scaled(b, x, alpha), beta);
}

static Value leakyRelu(NodeBinder &b, Value x, float alpha, float) {
  return b.create<nn::SelectOp>(lessThan(b, x, 0), scaled(b, x, alpha), x);
}

static Value thresholdedRelu(NodeBinder &b, Value x, float alpha, float) {
  Value isAbove =
      b.create<nn::CompareOp>(b.createScalar(alpha), x, nn::Predicate::Less);
  return b.create<nn::SelectOp>(isAbove, x, b.createScalar(0));
}

static Value scaledTanh(NodeBinder &b, Value x, float alpha, float beta) {
  return scaled(b, b.create<nn::TanhOp>(scaled(b, x, beta)), alpha);
}

static Value hardSigmoid(NodeBinder &b, Value x, float alpha, float beta) {
  return b.create<nn::ClampOp>(affine(b, x, alpha, beta), llvm::APFloat(0.0f),
                               llvm::APFloat(1.0f));
}

static Value elu(NodeBinder &b, Value x, float alpha, float) {
  Value below = scaled(b, shifted(b, b.create<nn::ExpOp>(x), -1), alpha);
  return b.create<nn::SelectOp>(lessThan(b, x, 0), below, x);
}

static Value softsign(NodeBinder &b, Value x, float, float) {
  return b.create<nn::DivOp>(x, shifted(b, b.create<nn::AbsOp>(x), 1));
}

/// log(1 + exp(x)) as max(x, 0) + log(1 + exp(-|x|)), which does not overflow.
static Value softplus(NodeBinder &b, Value x, float, float) {
  Value power =
      b.create<nn::ExpOp>(b.create<nn::NegOp>(b.create<nn::AbsOp>(x)));
  return b.create<nn::AddOp>(b.create<nn::ReluOp>(x),
                             b.create<nn::LogOp>(shifted(b, power, 1)));
}

/// x * sigmoid(alpha * x)
static Value swish(NodeBinder &b, Value x, float alpha, float) {
  return b.create<nn::MulOp>(x, sigmoid(b, scaled(b, x, alpha), 0, 0));
}

static Value hardSwish(NodeBinder &b, Value x, float, float) {
  return b.create<nn::MulOp>(x, hardSigmoid(b, x, 1.0f / 6, 0.5f));
}

static Value mish(NodeBinder &b, Value x, float, float) {
  return b.create<nn::MulOp>(x, b.create<nn::TanhOp>(softplus(b, x, 0, 0)));
}

static Value selu(NodeBinder &b, Value x, float alpha, float gamma) {
  return scaled(b, elu(b, x, alpha, 0), gamma);
}

static Value celu(NodeBinder &b, Value x, float alpha, float) {
  Value ratio = b.create<nn::DivOp>(x, b.createScalar(alpha));
  Value below = scaled(b, shifted(b, b.create<nn::ExpOp>(ratio), -1), alpha);
  return b.create<nn::SelectOp>(lessThan(b, x, 0), below, x);
}

/// Half of x, times 1 + `gate`.
static Value gated(NodeBinder &b, Value x, Value gate) {
  return b.create<nn::MulOp>(scaled(b, x, 0.5f), shifted(b, gate, 1));
}

static Value gelu(NodeBinder &b, Value x, float, float) {
  return gated(b, x, b.create<nn::ErfOp>(scaled(b, x, std::sqrt(0.5f))));
}

static Value tanhGelu(NodeBinder &b, Value x, float, float) {
  Value cube = b.create<nn::MulOp>(x, b.create<nn::MulOp>(x, x));
  Value sum = b.create<nn::AddOp>(x, scaled(b, cube, 0.044715f));
  constexpr float factor = 0.797884561f; // sqrt(2 / pi)
  return gated(b, x, b.create<nn::TanhOp>(scaled(b, sum, factor)));
}

//===----------------------------------------------------------------------===//
// By name
//===----------------------------------------------------------------------===//

namespace {
struct Activation {
  ActivationForm form;
  Value (*create)(NodeBinder &, Value, float alpha, float beta) = nullptr;
};
} // namespace

static constexpr Activation kTanh{{}, tanh}, kRelu{{}, relu},
    kSigmoid{{}, sigmoid}, kAffine{{2, 1.0f, 0.0f}, affine},
    kLeakyRelu{{1, 0.01f}, leakyRelu},
    kThresholdedRelu{{1, 1.0f}, thresholdedRelu},
    kScaledTanh{{2, 1.0f, 1.0f}, scaledTanh},
    kHardSigmoid{{2, 0.2f, 0.5f}, hardSigmoid}, kElu{{1, 1.0f}, elu},
    kSoftsign{{}, softsign}, kSoftplus{{}, softplus};

static Activation lookup(StringRef name) {
  return llvm::StringSwitch<Activation>(name)
      .CaseLower("relu", kRelu)
      .CaseLower("tanh", kTanh)
      .CaseLower("sigmoid", kSigmoid)
      .CaseLower("affine", kAffine)
      .CaseLower("leakyrelu", kLeakyRelu)
      .CaseLower("thresholdedrelu", kThresholdedRelu)
      .CaseLower("scaledtanh", kScaledTanh)
      .CaseLower("hardsigmoid", kHardSigmoid)
      .CaseLower("elu", kElu)
      .CaseLower("softsign", kSoftsign)
      .CaseLower("softplus", kSoftplus)
      .Default({});
}

std::optional<ActivationForm> findActivation(StringRef name) {
  Activation found = lookup(name);
  return found.create ? std::optional(found.form) : std::nullopt;
}

Value createActivation(NodeBinder &b, StringRef name, Value x, float alpha,
                       float beta) {
  return b.failed() ? Value() : lookup(name).create(b, x, alpha, beta);
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

static constexpr Activation kSwish{{1, 1.0f}, swish}, kCelu{{1, 1.0f}, celu},
    kHardSwish{{}, hardSwish}, kMish{{}, mish};

template <const Activation &kActivation>
static LogicalResult importActivation(NodeBinder &b) {
  const ActivationForm &form = kActivation.form;
  float alpha = form.parameters > 0 ? b.getFloat("alpha", form.alpha) : 0;
  float beta = form.parameters > 1 ? b.getFloat("beta", form.beta) : 0;
  Value x = b.floatInput(0);
  return b.failed() ? failure()
                    : b.result(kActivation.create(b, x, alpha, beta));
}

static LogicalResult importSelu(NodeBinder &b) {
  float alpha = b.getFloat("alpha", 1.67326319217681884765625f);
  float gamma = b.getFloat("gamma", 1.05070102214813232421875f);
  Value x = b.floatInput(0);
  return b.failed() ? failure() : b.result(selu(b, x, alpha, gamma));
}

static LogicalResult importGelu(NodeBinder &b) {
  StringRef approximation = b.getString("approximate", "none");
  Value x = b.floatInput(0);
  if (b.failed())
    return failure();
  if (approximation == "none")
    return b.result(gelu(b, x, 0, 0));
  if (approximation == "tanh")
    return b.result(tanhGelu(b, x, 0, 0));
  return b.error() << "expected 'approximate' to be none or tanh, but got '"
                   << approximation << "'";
}

static LogicalResult importPRelu(NodeBinder &b) {
  Value x = b.numberInput(0), slope = b.numberInput(1);
  if (b.failed())
    return failure();
  auto type = cast<RankedTensorType>(x.getType());
  Value zero = b.createScalar(type.getElementType(), 0);
  Value isNegative = b.create<nn::CompareOp>(x, zero, nn::Predicate::Less);
  Value below = b.create<nn::MulOp>(slope, x);
  if (below && below.getType() != type)
    return b.error() << "expected a slope that broadcasts to "
                     << shapeText(b.shape(0)) << ", but got "
                     << shapeText(b.shape(1));
  return b.result(b.create<nn::SelectOp>(isNegative, below, x));
}

/// Integers are shrunk as floats.
static LogicalResult importShrink(NodeBinder &b) {
  float bias = b.getFloat("bias", 0), bound = b.getFloat("lambd", 0.5f);
  Value input = b.numberInput(0);
  if (b.failed())
    return failure();
  Type element = cast<ShapedType>(input.getType()).getElementType();
  Value x = b.createCast(input, Float32Type::get(b.context()));
  Value isAbove =
      b.create<nn::CompareOp>(b.createScalar(bound), x, nn::Predicate::Less);
  Value rest =
      b.create<nn::SelectOp>(isAbove, shifted(b, x, -bias), b.createScalar(0));
  Value result =
      b.create<nn::SelectOp>(lessThan(b, x, -bound), shifted(b, x, bias), rest);
  return b.result(b.createCast(result, element));
}

static LogicalResult importSwiGLU(NodeBinder &b) {
  float alpha = b.getFloat("alpha", 1);
  Value gate = b.floatInput(0), value = b.floatInput(1);
  if (b.failed())
    return failure();
  if (gate.getType() != value.getType())
    return b.error() << "expected operands of the same shape, but got "
                     << shapeText(b.shape(0)) << " and "
                     << shapeText(b.shape(1));
  return b.result(b.create<nn::MulOp>(swish(b, gate, alpha, 0), value));
}

void registerActivations(HandlerTable &table) {
  const OpSummary plain{Place::Digital, ""};
  table.add("Sigmoid", plain, {{6, importActivation<kSigmoid>}});
  table.add("HardSigmoid", plain, {{6, importActivation<kHardSigmoid>}});
  table.add("HardSwish", plain, {{14, importActivation<kHardSwish>}});
  table.add("Swish", plain, {{24, importActivation<kSwish>}});
  table.add("LeakyRelu", plain, {{6, importActivation<kLeakyRelu>}});
  table.add("ThresholdedRelu", plain,
            {{10, importActivation<kThresholdedRelu>}});
  table.add("Elu", plain, {{6, importActivation<kElu>}});
  table.add("Celu", plain, {{12, importActivation<kCelu>}});
  table.add("Mish", plain, {{18, importActivation<kMish>}});
  table.add("Softplus", plain, {{1, importActivation<kSoftplus>}});
  table.add("Softsign", plain, {{1, importActivation<kSoftsign>}});
  table.add("Selu", plain, {{6, importSelu}});
  table.add("Gelu", {Place::Digital, "exact or by tanh"}, {{20, importGelu}});
  table.add("PRelu", plain, {{7, importPRelu}});
  table.add("Shrink", plain, {{9, importShrink}});
  table.add("SwiGLU", plain, {{28, importSwiGLU}});
}

} // namespace cim::onnx
