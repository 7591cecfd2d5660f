// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One step of an LSTM, GRU or RNN.
#ifndef CIM_LIB_FRONTEND_ONNX_RECURRENTCELLS_H
#define CIM_LIB_FRONTEND_ONNX_RECURRENTCELLS_H

#include "NodeBinder.h"

namespace cim::onnx {

/// What one step hands to the next, batch x hidden each; null stands for zeros.
struct RecurrentState {
  mlir::Value hidden;
  mlir::Value cell; ///< of an LSTM
};

/// An activation function with its parameters.
struct CellFunction {
  std::string name;
  float alpha = 0, beta = 0;
};

/// One direction of a recurrent node: everything that its steps share. G is
/// the number of gates, H that of hidden values.
struct RecurrentCell {
  int64_t hidden = 0;
  mlir::Value recurrence; ///< G*H x H
  mlir::Value bias;       ///< of the product with R, G*H; or null
  mlir::Value peepholes;  ///< 3*H; or null
  llvm::SmallVector<CellFunction, 3> functions;
  std::optional<float> clip;
  bool couplesInputForget = false;  ///< of an LSTM
  bool isLinearBeforeReset = false; ///< of a GRU; only then `bias` is not null
};

/// How the operators differ.
struct CellKind {
  int64_t gates;
  bool hasCellState;
  /// Default activation functions.
  llvm::ArrayRef<const char *> functions;
  /// The state behind a step whose input, times W and with the biases that do
  /// not belong to the recurrent product, is `input` (batch x G*H).
  RecurrentState (*step)(NodeBinder &b, const RecurrentCell &cell,
                         mlir::Value input, const RecurrentState &state);
};

extern const CellKind lstmCell, gruCell, rnnCell;

/// `count` elements of the last dimension but for the first `begin`.
mlir::Value takeColumns(NodeBinder &b, mlir::Value value, int64_t begin,
                        int64_t count);

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_RECURRENTCELLS_H
