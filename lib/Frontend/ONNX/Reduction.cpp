// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reductions: a function of each element, nn.reduce, a function of each result.
#include "Reduction.h"

using namespace mlir;

namespace cim::onnx {

static Type elementOf(Value value) {
  return cast<ShapedType>(value.getType()).getElementType();
}

Value createReduce(NodeBinder &b, nn::Reduction kind, Value x,
                   ArrayRef<int64_t> axes, bool keepDims) {
  // Of one number each.
  if (axes.empty() || b.failed())
    return x;
  SmallVector<int64_t> sorted(axes);
  llvm::sort(sorted);
  return b.create<nn::ReduceOp>(x, kind, sorted, keepDims);
}

//===----------------------------------------------------------------------===//
// Reductions of a tensor
//===----------------------------------------------------------------------===//

namespace {
/// What is reduced: an operand and its axes.
struct Reduced {
  NodeBinder &b;
  Value x;
  ArrayRef<int64_t> axes;
  bool keepDims;

  Value reduce(nn::Reduction kind, Value value) const {
    return createReduce(b, kind, value, axes, keepDims);
  }
};

/// The result, and what it is of no elements; NaN stands for none.
struct Form {
  Value (*create)(const Reduced &);
  double ofNothing;
};
} // namespace

template <nn::Reduction kKind> static Value plain(const Reduced &r) {
  return r.reduce(kKind, r.x);
}

/// Integers are divided as such, towards zero.
static Value mean(const Reduced &r) {
  if (isa<FloatType>(elementOf(r.x)))
    return r.reduce(nn::Reduction::Mean, r.x);
  double count = 1;
  for (int64_t axis : r.axes)
    count *= cast<ShapedType>(r.x.getType()).getDimSize(axis);
  return r.b.create<nn::DivOp>(r.reduce(nn::Reduction::Sum, r.x),
                               r.b.createScalar(elementOf(r.x), count));
}

static Value l1(const Reduced &r) {
  return r.reduce(nn::Reduction::Sum, r.b.create<nn::AbsOp>(r.x));
}

static Value sumSquare(const Reduced &r) {
  return r.reduce(nn::Reduction::Sum, r.b.create<nn::MulOp>(r.x, r.x));
}

static Value l2(const Reduced &r) {
  return r.b.create<nn::SqrtOp>(sumSquare(r));
}

static Value logSum(const Reduced &r) {
  return r.b.create<nn::LogOp>(r.reduce(nn::Reduction::Sum, r.x));
}

/// max + log(sum(exp(x - max))), of powers that do not overflow; an infinite
/// maximum is not subtracted.
static Value logSumExp(const Reduced &r) {
  NodeBinder &b = r.b;
  Value max = createReduce(b, nn::Reduction::Max, r.x, r.axes, true);
  Value isInfinite = b.create<nn::CompareOp>(
      b.create<nn::AbsOp>(max),
      b.createScalar(std::numeric_limits<float>::infinity()),
      nn::Predicate::Equal);
  max = b.create<nn::SelectOp>(isInfinite, b.createScalar(0), max);
  Value powers = b.create<nn::ExpOp>(b.create<nn::SubOp>(r.x, max));
  Value log = b.create<nn::LogOp>(r.reduce(nn::Reduction::Sum, powers));
  if (b.failed())
    return {};
  ArrayRef<int64_t> shape = cast<ShapedType>(log.getType()).getShape();
  return b.create<nn::AddOp>(log, b.createReshape(max, shape));
}

/// Functions of floats, of integers cast to them.
template <Value (*kFunction)(const Reduced &)>
static Value ofFloats(const Reduced &r) {
  Type element = elementOf(r.x);
  Value x = r.b.createCast(r.x, Float32Type::get(r.b.context()));
  return r.b.createCast(kFunction({r.b, x, r.axes, r.keepDims}), element);
}

/// Truth values are ordered as 0 and 1.
template <nn::Reduction kKind> static Value extremum(const Reduced &r) {
  Type element = elementOf(r.x);
  if (!element.isInteger(1))
    return plain<kKind>(r);
  Value bytes = r.b.createCast(
      r.x, IntegerType::get(r.b.context(), 8, IntegerType::Unsigned));
  return r.b.createCast(r.reduce(kKind, bytes), element);
}

static constexpr double kInfinity = std::numeric_limits<double>::infinity();
static constexpr Form kSum{plain<nn::Reduction::Sum>, 0},
    kProd{plain<nn::Reduction::Prod>, 1}, kMean{mean, NAN}, kL1{l1, 0},
    kL2{ofFloats<l2>, 0}, kSumSquare{sumSquare, 0},
    kLogSum{ofFloats<logSum>, -kInfinity},
    kLogSumExp{ofFloats<logSumExp>, -kInfinity},
    kMax{extremum<nn::Reduction::Max>, -kInfinity},
    kMin{extremum<nn::Reduction::Min>, kInfinity};

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

/// `value` in a type of numbers, of which an infinity is the nearest.
static Tensor nearest(DataType type, double value) {
  if (isFloat(type))
    return fromDoubles(type, {}, value);
  bool isUnsigned = type == DataType::Bool || type == DataType::UInt8 ||
                    type == DataType::UInt16 || type == DataType::UInt32 ||
                    type == DataType::UInt64;
  unsigned bits = type == DataType::Bool ? 1 : 8 * elementBytes(type);
  int64_t lowest = isUnsigned ? 0 : llvm::minIntN(bits),
          highest = isUnsigned ? (bits == 1 ? 1 : -1) : llvm::maxIntN(bits);
  int64_t integer = std::isinf(value) ? (value < 0 ? lowest : highest)
                                      : static_cast<int64_t>(value);
  return fromInts(type, {}, integer);
}

/// A tensor without elements is a constant: so is its reduction.
static LogicalResult reduceNothing(NodeBinder &b, const Form &form,
                                   ArrayRef<int64_t> axes, bool keepDims) {
  HostTensor input = b.host(0);
  if (!input)
    return b.error() << "expected an operand without elements to be constant";
  SmallVector<int64_t> shape;
  for (auto [dim, extent] : llvm::enumerate(input->dims)) {
    if (!llvm::is_contained(axes, int64_t(dim)))
      shape.push_back(extent);
    else if (keepDims)
      shape.push_back(1);
  }
  bool isMean = std::isnan(form.ofNothing);
  Tensor one = nearest(input->type,
                       isMean && !isFloat(input->type) ? 0 : form.ofNothing);
  return b.result(b.createBroadcast(b.createConstant(one), shape));
}

/// Without axes all dimensions are reduced, or none.
template <const Form &kForm>
static LogicalResult reduce(NodeBinder &b, ArrayRef<int64_t> given,
                            bool isNoop) {
  SmallVector<int64_t> shape = b.shape(0);
  int64_t rank = shape.size();
  bool keepDims = b.getBool("keepdims", true);
  SmallVector<int64_t> axes = b.normalizeAxes(given, rank);
  if (given.empty() && !isNoop)
    axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (b.failed())
    return failure();
  if (llvm::is_contained(shape, 0))
    return reduceNothing(b, kForm, axes, keepDims);
  constexpr bool takesBool = &kForm == &kMax || &kForm == &kMin;
  Value x = takesBool ? b.input(0) : b.numberInput(0);
  if (b.failed())
    return failure();
  return b.result(kForm.create({b, x, axes, keepDims}));
}

template <const Form &kForm>
static LogicalResult importWithAttribute(NodeBinder &b) {
  return reduce<kForm>(b, b.getInts("axes").value_or(SmallVector<int64_t>()),
                       /*isNoop=*/false);
}

template <const Form &kForm>
static LogicalResult importWithOperand(NodeBinder &b) {
  SmallVector<int64_t> axes;
  if (b.hasInput(1))
    axes = b.constantInts(1, "axes");
  return reduce<kForm>(b, axes, b.getBool("noop_with_empty_axes", false));
}

void registerReduction(HandlerTable &table) {
  const OpSummary summary{Place::Digital, "constant axes"};
  auto add = [&](StringRef name, Handler attribute, Handler operand) {
    table.add(name, summary, {{1, attribute}, {18, operand}});
  };
#define CIM_ADD(NAME)                                                          \
  add("Reduce" #NAME, importWithAttribute<k##NAME>, importWithOperand<k##NAME>)
  CIM_ADD(Mean);
  CIM_ADD(Max);
  CIM_ADD(Min);
  CIM_ADD(Prod);
  CIM_ADD(L1);
  CIM_ADD(L2);
  CIM_ADD(SumSquare);
  CIM_ADD(LogSum);
  CIM_ADD(LogSumExp);
#undef CIM_ADD
  table.add("ReduceSum", summary,
            {{1, importWithAttribute<kSum>}, {13, importWithOperand<kSum>}});
}

} // namespace cim::onnx
