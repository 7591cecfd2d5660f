// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One step of an LSTM, GRU or RNN, as the equations of the ONNX specification
// have it. Gates lie side by side and are computed together where they can be.
#include "RecurrentCells.h"
#include "Activations.h"

using namespace mlir;

namespace cim::onnx {

Value takeColumns(NodeBinder &b, Value value, int64_t begin, int64_t count) {
  if (!value || b.failed())
    return {};
  ArrayRef<int64_t> shape = cast<ShapedType>(value.getType()).getShape();
  if (shape.back() == count)
    return value;
  SmallVector<int64_t> starts(shape.size(), 0), sizes(shape),
      steps(shape.size(), 1);
  starts.back() = begin;
  sizes.back() = count;
  return b.create<nn::SliceOp>(value, starts, sizes, steps);
}

namespace {

/// Ops of a step; null operands stand for zeros.
class Step {
public:
  Step(NodeBinder &b, const RecurrentCell &cell) : b(b), cell(cell) {}

  Value add(Value x, Value y) {
    return !x ? y : !y ? x : b.create<nn::AddOp>(x, y);
  }
  Value multiply(Value x, Value y) {
    return x && y ? b.create<nn::MulOp>(x, y) : Value();
  }
  Value oneMinus(Value x) { return b.create<nn::SubOp>(b.createScalar(1), x); }

  /// Gates [first, first + count) of values that lie side by side.
  Value gates(Value values, int64_t first, int64_t count = 1) {
    return takeColumns(b, values, first * cell.hidden, count * cell.hidden);
  }

  Value activate(unsigned function, Value x) {
    const CellFunction &f = cell.functions[function];
    return createActivation(b, f.name, x, f.alpha, f.beta);
  }
  /// A function of the sum of a gate. Runtimes agree that 'clip' means these
  /// and not the cell state, on which ONNX is silent.
  Value activateGate(unsigned function, Value x) {
    if (cell.clip)
      x = b.create<nn::ClampOp>(x, llvm::APFloat(-*cell.clip),
                                llvm::APFloat(*cell.clip));
    return activate(function, x);
  }

  /// The part of the recurrent product that belongs to some gates.
  Value recur(Value hidden, int64_t first, int64_t count) {
    Value bias = gates(cell.bias, first, count);
    if (!hidden)
      return bias;
    return b.create<nn::MatMulOp>(hidden, rows(first, count), bias,
                                  /*transpose_b=*/true);
  }

private:
  /// Rows of R. Made anew for every step; equal ones become one.
  Value rows(int64_t first, int64_t count) {
    ArrayRef<int64_t> shape =
        cast<ShapedType>(cell.recurrence.getType()).getShape();
    int64_t size = count * cell.hidden;
    if (shape[0] == size)
      return cell.recurrence;
    return b.create<nn::SliceOp>(
        cell.recurrence, ArrayRef<int64_t>{first * cell.hidden, 0},
        ArrayRef<int64_t>{size, shape[1]}, ArrayRef<int64_t>{1, 1});
  }

  NodeBinder &b;
  const RecurrentCell &cell;
};

} // namespace

/// Gates input, output, forget, cell; functions f, g, h; peepholes of the
/// first three.
static RecurrentState stepLSTM(NodeBinder &b, const RecurrentCell &cell,
                               Value input, const RecurrentState &state) {
  Step s(b, cell);
  Value sums = s.add(input, s.recur(state.hidden, 0, 4));
  Value i, o, f;
  if (cell.peepholes) {
    auto peek = [&](int64_t gate, Value at) {
      return s.add(s.gates(sums, gate),
                   s.multiply(at, s.gates(cell.peepholes, gate)));
    };
    i = s.activateGate(0, peek(0, state.cell));
    f = s.activateGate(0, peek(2, state.cell));
  } else {
    Value all = s.activateGate(0, s.gates(sums, 0, 3));
    i = s.gates(all, 0);
    o = s.gates(all, 1);
    f = s.gates(all, 2);
  }
  if (cell.couplesInputForget)
    f = s.oneMinus(i);
  Value candidate = s.activateGate(1, s.gates(sums, 3));
  Value next = s.add(s.multiply(f, state.cell), s.multiply(i, candidate));
  if (cell.peepholes)
    o = s.activateGate(0, s.add(s.gates(sums, 1),
                                s.multiply(next, s.gates(cell.peepholes, 1))));
  return {s.multiply(o, s.activate(2, next)), next};
}

/// Gates update, reset, hidden; functions f, g.
static RecurrentState stepGRU(NodeBinder &b, const RecurrentCell &cell,
                              Value input, const RecurrentState &state) {
  Step s(b, cell);
  bool isLinear = cell.isLinearBeforeReset;
  Value product = s.recur(state.hidden, 0, isLinear ? 3 : 2);
  Value both =
      s.activateGate(0, s.add(s.gates(input, 0, 2), s.gates(product, 0, 2)));
  Value update = s.gates(both, 0), reset = s.gates(both, 1);
  Value recurrent = isLinear ? s.multiply(reset, s.gates(product, 2))
                             : s.recur(s.multiply(reset, state.hidden), 2, 1);
  Value candidate = s.activateGate(1, s.add(s.gates(input, 2), recurrent));
  return {s.add(s.multiply(s.oneMinus(update), candidate),
                s.multiply(update, state.hidden)),
          {}};
}

static RecurrentState stepRNN(NodeBinder &b, const RecurrentCell &cell,
                              Value input, const RecurrentState &state) {
  Step s(b, cell);
  return {s.activateGate(0, s.add(input, s.recur(state.hidden, 0, 1))), {}};
}

static const char *const lstmFunctions[] = {"Sigmoid", "Tanh", "Tanh"};
static const char *const gruFunctions[] = {"Sigmoid", "Tanh"};
static const char *const rnnFunctions[] = {"Tanh"};

const CellKind lstmCell = {4, true, lstmFunctions, stepLSTM};
const CellKind gruCell = {3, false, gruFunctions, stepGRU};
const CellKind rnnCell = {1, false, rnnFunctions, stepRNN};

} // namespace cim::onnx
