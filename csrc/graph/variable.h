// The storage of a variable: the only tensors that outlive a run. Shared by every graph and program that names it.
#pragma once

#include <memory>

#include "base/memory.h"
#include "graph/op_def.h"

namespace ranvier {

class VariableStorage {
 public:
  explicit VariableStorage(TensorType type, Memory& memory = host_memory())
      : type_(type), buffer_(memory, static_cast<std::size_t>(byte_size(type)), /*zero=*/true) {}

  const TensorType& type() const { return type_; }
  const Buffer& buffer() const { return buffer_; }

 private:
  TensorType type_;
  Buffer buffer_;
};

using VariablePtr = std::shared_ptr<VariableStorage>;

}  // namespace ranvier
