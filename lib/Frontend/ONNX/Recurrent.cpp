// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// LSTM, GRU and RNN, unrolled over their sequence. Inside, samples come first;
// the inputs of all steps are multiplied at once; the steps of a direction
// share their weights.
#include "Activations.h"
#include "RecurrentCells.h"
#include "cim/Dialect/NN/Transforms/ConstantData.h"

using namespace mlir;

namespace cim::onnx {

/// Longer sequences make programs that nobody wants to wait for.
static constexpr int64_t kMaxSteps = 4096;

namespace {

enum Operand : size_t { kX, kW, kR, kB, kLengths, kHidden, kCell, kPeepholes };

class Recurrent {
public:
  Recurrent(NodeBinder &b, const CellKind &kind) : b(b), kind(kind) {}

  LogicalResult run();

private:
  LogicalResult readAttributes();
  LogicalResult readFunctions();
  LogicalResult readShapes();
  LogicalResult expectShape(size_t operand, StringRef name,
                            ArrayRef<int64_t> expected);
  Value takeDirection(size_t operand, int64_t direction, int64_t axis = 0);
  Value takeState(size_t operand, int64_t direction);
  RecurrentCell makeCell(int64_t direction, Value &inputBias);
  Value projectInput(int64_t direction, Value bias);
  void runDirection(int64_t direction);
  /// Which samples have a step, batch x 1; null when all have.
  Value maskOf(int64_t step);
  Value keepWhere(Value mask, Value value, Value otherwise);
  Value zeros();
  LogicalResult bindSequence();
  LogicalResult bindFinal(size_t output, ArrayRef<Value> values);

  NodeBinder &b;
  const CellKind &kind;
  int64_t steps = 0, batch = 0, inputs = 0, hidden = 0, directions = 1;
  bool isReverse = false, isBatchFirst = false;
  SmallVector<CellFunction, 6> functions;
  RecurrentCell shared; // what all directions have in common
  Value x;              // batch x steps x inputs
  Value lengths;        // batch x 1, when known at run time only
  std::optional<SmallVector<int64_t>> knownLengths;
  /// By direction: hidden values of each step, batch x hidden, and last states.
  SmallVector<SmallVector<Value>, 2> sequences;
  SmallVector<Value, 2> lastHidden, lastCell;
};

} // namespace

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

LogicalResult Recurrent::readAttributes() {
  StringRef direction = b.getString("direction", "forward");
  if (direction != "forward" && direction != "reverse" &&
      direction != "bidirectional")
    return b.error() << "expected 'direction' to be forward, reverse or "
                        "bidirectional, but got '"
                     << direction << "'";
  directions = direction == "bidirectional" ? 2 : 1;
  isReverse = direction == "reverse";
  isBatchFirst = b.getBool("layout", false);
  if (b.getAttribute("clip"))
    shared.clip = b.getFloat("clip", 0);
  if (shared.clip && !(*shared.clip >= 0))
    return b.error() << "expected 'clip' of at least 0, but got "
                     << *shared.clip;
  if (&kind == &lstmCell)
    shared.couplesInputForget = b.getBool("input_forget", false);
  if (&kind == &gruCell)
    shared.isLinearBeforeReset = b.getBool("linear_before_reset", false);
  return readFunctions();
}

/// Parameters are listed one after the other, for the functions that have any.
LogicalResult Recurrent::readFunctions() {
  SmallVector<StringRef> names;
  for (int64_t d = 0; d < directions; ++d)
    llvm::append_range(names, kind.functions);
  if (auto given = b.getStrings("activations"))
    names = *given;
  if (b.failed())
    return failure();
  size_t expected = directions * kind.functions.size();
  if (names.size() != expected)
    return b.error() << "expected " << expected << " 'activations', but got "
                     << names.size();
  SmallVector<float> alphas, betas;
  if (auto given = b.getFloats("activation_alpha"))
    alphas = *given;
  if (auto given = b.getFloats("activation_beta"))
    betas = *given;
  ArrayRef<float> alpha = alphas, beta = betas;
  auto take = [](ArrayRef<float> &list, float byDefault) {
    if (list.empty())
      return byDefault;
    float value = list.front();
    list = list.drop_front();
    return value;
  };
  for (StringRef name : names) {
    std::optional<ActivationForm> form = findActivation(name);
    if (!form)
      return b.error() << "activation function '" << name
                       << "' is not one that ONNX names";
    CellFunction &function = functions.emplace_back();
    function.name = name.str();
    if (form->parameters >= 1)
      function.alpha = take(alpha, form->alpha);
    if (form->parameters >= 2)
      function.beta = take(beta, form->beta);
  }
  return success(!b.failed());
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

LogicalResult Recurrent::expectShape(size_t operand, StringRef name,
                                     ArrayRef<int64_t> expected) {
  if (!b.hasInput(operand))
    return success();
  SmallVector<int64_t> shape = b.shape(operand);
  if (ArrayRef<int64_t>(shape) == expected)
    return success();
  return b.error() << "expected " << name << " of shape " << shapeText(expected)
                   << ", but got " << shapeText(shape);
}

LogicalResult Recurrent::readShapes() {
  SmallVector<int64_t> input = b.shape(kX), recurrence = b.shape(kR);
  if (b.failed())
    return failure();
  if (input.size() != 3 || recurrence.size() != 3)
    return b.error() << "expected X and R of rank 3, but got "
                     << shapeText(input) << " and " << shapeText(recurrence);
  steps = input[isBatchFirst ? 1 : 0];
  batch = input[isBatchFirst ? 0 : 1];
  inputs = input[2];
  hidden = b.getInt("hidden_size", recurrence[2]);
  if (steps < 1 || steps > kMaxSteps)
    return b.error() << "expected a sequence of 1 to " << kMaxSteps
                     << " steps, which are unrolled, but got " << steps;
  if (hidden != recurrence[2])
    return b.error() << "expected 'hidden_size' to be that of R, "
                     << recurrence[2] << ", but got " << hidden;
  SmallVector<int64_t> state{directions, batch, hidden};
  if (isBatchFirst)
    std::swap(state[0], state[1]);
  int64_t gates = kind.gates * hidden;
  if (failed(expectShape(kW, "W", {directions, gates, inputs})) ||
      failed(expectShape(kR, "R", {directions, gates, hidden})) ||
      failed(expectShape(kB, "B", {directions, 2 * gates})) ||
      failed(expectShape(kLengths, "sequence_lens", {batch})) ||
      failed(expectShape(kHidden, "initial_h", state)))
    return failure();
  if (!kind.hasCellState)
    return success();
  if (failed(expectShape(kCell, "initial_c", state)) ||
      failed(expectShape(kPeepholes, "P", {directions, 3 * hidden})))
    return failure();
  return success();
}

/// The operand of one direction without the dimension that counts them, or
/// null when it is left out.
Value Recurrent::takeDirection(size_t operand, int64_t direction,
                               int64_t axis) {
  Value value = b.optionalFloatInput(operand);
  if (!value)
    return {};
  SmallVector<int64_t> shape = b.shape(operand);
  if (directions > 1) {
    SmallVector<int64_t> starts(shape.size(), 0), sizes(shape),
        ones(shape.size(), 1);
    starts[axis] = direction;
    sizes[axis] = 1;
    value = b.create<nn::SliceOp>(value, starts, sizes, ones);
  }
  shape.erase(shape.begin() + axis);
  return b.createReshape(value, shape);
}

/// True for zeros, also those that are made at run time of a constant.
static bool isZero(Value value) {
  while (isa_and_nonnull<nn::ReshapeOp, nn::TransposeOp, nn::SliceOp,
                         nn::BroadcastOp>(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  FailureOr<std::vector<float>> values = nn::readFloats(value);
  return succeeded(values) &&
         llvm::all_of(*values, [](float x) { return x == 0; });
}

/// An initial state, or null when it is zeros, which exporters write out.
Value Recurrent::takeState(size_t operand, int64_t direction) {
  Value state = takeDirection(operand, direction, isBatchFirst ? 1 : 0);
  return state && isZero(state) ? Value() : state;
}

/// Weights of one direction. The biases of W and R are added to the input at
/// once, unless those of R belong to its product.
RecurrentCell Recurrent::makeCell(int64_t direction, Value &inputBias) {
  RecurrentCell cell = shared;
  cell.hidden = hidden;
  cell.recurrence = takeDirection(kR, direction);
  size_t count = kind.functions.size();
  ArrayRef<CellFunction> own =
      ArrayRef<CellFunction>(functions).slice(direction * count, count);
  cell.functions.assign(own.begin(), own.end());
  if (kind.hasCellState)
    cell.peepholes = takeDirection(kPeepholes, direction);
  Value biases = takeDirection(kB, direction);
  if (!biases)
    return cell;
  int64_t gates = kind.gates * hidden;
  inputBias = takeColumns(b, biases, 0, gates);
  Value recurrentBias = takeColumns(b, biases, gates, gates);
  if (cell.isLinearBeforeReset)
    cell.bias = recurrentBias;
  else
    inputBias = b.create<nn::AddOp>(inputBias, recurrentBias);
  return cell;
}

/// The inputs of all steps times W: batch x steps x gates.
Value Recurrent::projectInput(int64_t direction, Value bias) {
  return b.create<nn::MatMulOp>(x, takeDirection(kW, direction), bias,
                                /*transpose_b=*/true);
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

Value Recurrent::maskOf(int64_t step) {
  if (knownLengths) {
    SmallVector<int64_t> mask;
    for (int64_t length : *knownLengths)
      mask.push_back(step < length);
    if (!llvm::is_contained(mask, 0))
      return {};
    return b.createConstant(fromInts(DataType::Bool, {batch, 1}, mask));
  }
  if (!lengths)
    return {};
  Type element = cast<ShapedType>(lengths.getType()).getElementType();
  return b.create<nn::CompareOp>(b.createScalar(element, step), lengths,
                                 nn::Predicate::Less);
}

Value Recurrent::zeros() { return b.createFilled({batch, hidden}, 0); }

Value Recurrent::keepWhere(Value mask, Value value, Value otherwise) {
  if (!mask || !value)
    return value;
  if (!otherwise)
    otherwise = b.createScalar(0);
  return b.create<nn::SelectOp>(mask, value, otherwise);
}

void Recurrent::runDirection(int64_t direction) {
  Value inputBias;
  RecurrentCell cell = makeCell(direction, inputBias);
  Value projected = projectInput(direction, inputBias);
  int64_t gates = kind.gates * hidden;
  RecurrentState state{takeState(kHidden, direction), {}};
  if (kind.hasCellState)
    state.cell = takeState(kCell, direction);
  SmallVector<Value> &sequence = sequences.emplace_back(steps);
  bool isBackward = isReverse || direction == 1;
  for (int64_t i = 0; i < steps && !b.failed(); ++i) {
    int64_t step = isBackward ? steps - 1 - i : i;
    if (knownLengths && llvm::none_of(*knownLengths, [&](int64_t length) {
          return step < length;
        })) {
      sequence[step] = zeros();
      continue;
    }
    Value input = b.create<nn::SliceOp>(
        projected, ArrayRef<int64_t>{0, step, 0},
        ArrayRef<int64_t>{batch, 1, gates}, ArrayRef<int64_t>{1, 1, 1});
    RecurrentState next =
        kind.step(b, cell, b.createReshape(input, {batch, gates}), state);
    Value mask = maskOf(step);
    sequence[step] = keepWhere(mask, next.hidden, {});
    state = {keepWhere(mask, next.hidden, state.hidden),
             keepWhere(mask, next.cell, state.cell)};
  }
  // Without a step there may be no state.
  lastHidden.push_back(state.hidden ? state.hidden : zeros());
  lastCell.push_back(state.cell ? state.cell : zeros());
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

/// Joins values along `axis`, where each of them has extent 1.
static Value join(NodeBinder &b, ArrayRef<Value> values, int64_t axis) {
  return values.size() == 1 ? values.front()
                            : b.create<nn::ConcatOp>(values, axis);
}

/// Y: batch x steps x directions x hidden, or the batch behind the directions.
LogicalResult Recurrent::bindSequence() {
  SmallVector<Value, 2> all;
  for (ArrayRef<Value> sequence : sequences) {
    SmallVector<Value> rows;
    for (Value values : sequence)
      rows.push_back(b.createReshape(values, {batch, 1, hidden}));
    all.push_back(join(b, rows, 1));
  }
  if (directions == 1 && !isBatchFirst) {
    // Networks take the direction away and put the batch in front again:
    // transposes without it between them cancel.
    Value stepsFirst =
        b.create<nn::TransposeOp>(all[0], ArrayRef<int64_t>{1, 0, 2});
    return b.result(b.createReshape(stepsFirst, {steps, 1, batch, hidden}), 0);
  }
  for (Value &values : all)
    values = b.createReshape(values, {batch, steps, 1, hidden});
  Value joined = join(b, all, 2);
  if (!isBatchFirst)
    joined = b.create<nn::TransposeOp>(joined, ArrayRef<int64_t>{1, 2, 0, 3});
  return b.result(joined, 0);
}

/// Y_h and Y_c: batch x directions x hidden, or the batch behind the
/// directions.
LogicalResult Recurrent::bindFinal(size_t output, ArrayRef<Value> values) {
  SmallVector<Value, 2> all;
  for (Value value : values)
    all.push_back(b.createReshape(value, {batch, 1, hidden}));
  Value joined = join(b, all, 1);
  if (!isBatchFirst)
    joined = b.create<nn::TransposeOp>(joined, ArrayRef<int64_t>{1, 0, 2});
  return b.result(joined, output);
}

LogicalResult Recurrent::run() {
  if (failed(readAttributes()) || failed(readShapes()))
    return failure();
  x = b.floatInput(kX);
  if (!isBatchFirst)
    x = b.create<nn::TransposeOp>(x, ArrayRef<int64_t>{1, 0, 2});
  if (b.hasInput(kLengths)) {
    if (b.host(kLengths))
      knownLengths = b.constantInts(kLengths, "sequence_lens");
    else
      lengths = b.createReshape(b.integerInput(kLengths), {batch, 1});
  }
  for (int64_t direction = 0; direction < directions; ++direction)
    runDirection(direction);
  if (b.failed() || (b.hasOutput(0) && failed(bindSequence())) ||
      (b.hasOutput(1) && failed(bindFinal(1, lastHidden))))
    return failure();
  if (kind.hasCellState && b.hasOutput(2))
    return bindFinal(2, lastCell);
  return success();
}

template <const CellKind &kKind>
static LogicalResult importRecurrent(NodeBinder &b) {
  return Recurrent(b, kKind).run();
}

void registerRecurrent(HandlerTable &table) {
  const OpSummary summary{Place::Crossbar, "unrolled: at most 4096 steps"};
  table.add("LSTM", summary, {{7, importRecurrent<lstmCell>}});
  table.add("GRU", summary, {{7, importRecurrent<gruCell>}});
  table.add("RNN", summary, {{7, importRecurrent<rnnCell>}});
}

} // namespace cim::onnx
