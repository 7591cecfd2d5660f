// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// TensorProto to plain tensors, whichever of its encodings it uses.
#ifndef CIM_LIB_FRONTEND_ONNX_TENSORREADER_H
#define CIM_LIB_FRONTEND_ONNX_TENSORREADER_H

#include "Model.h"
#include "onnx/onnx_pb.h"
#include <fstream>

namespace cim::onnx {

class TensorReader {
public:
  /// External data is looked up in `folder`. What `fileSize` bytes expand to is
  /// bounded.
  TensorReader(std::string folder, size_t fileSize);

  /// Takes the data out of `proto`; returns false and says why in `error`.
  bool read(::onnx::TensorProto &proto, Tensor &tensor, std::string &error);
  /// The same, made dense.
  bool read(::onnx::SparseTensorProto &proto, Tensor &tensor,
            std::string &error);

private:
  bool readData(::onnx::TensorProto &proto, Tensor &tensor, std::string &error);
  bool readExternal(const ::onnx::TensorProto &proto, size_t expected,
                    std::string &bytes, std::string &error);
  bool openExternal(const std::string &location, std::string &error);
  bool fillDense(const Tensor &values, const Tensor &indices, Tensor &tensor,
                 std::string &error);

  std::string folder;
  /// Bytes that sparse tensors may still take.
  size_t denseBudget;
  /// The file of external data read last: most models have one.
  std::string openLocation;
  std::ifstream stream;
  size_t streamSize = 0;
};

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_TENSORREADER_H
