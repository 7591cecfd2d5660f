// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// TensorProto to plain tensors, whichever of its encodings it uses.
#ifndef CIM_LIB_FRONTEND_ONNX_TENSORREADER_H
#define CIM_LIB_FRONTEND_ONNX_TENSORREADER_H

#include "Model.h"
#include "onnx/onnx_pb.h"

namespace cim::onnx {

class TensorReader {
public:
  /// External data is looked up in `folder`.
  explicit TensorReader(std::string folder) : folder(std::move(folder)) {}

  /// Takes the data out of `proto`; returns false and says why in `error`.
  bool read(::onnx::TensorProto &proto, Tensor &tensor,
            std::string &error) const;

private:
  bool readExternal(const ::onnx::TensorProto &proto, size_t expected,
                    std::string &bytes, std::string &error) const;

  std::string folder;
};

} // namespace cim::onnx

#endif // CIM_LIB_FRONTEND_ONNX_TENSORREADER_H
