#include "runtime/plan.h"

#include <atomic>
#include <sstream>
#include <utility>

namespace ranvier {

Plan::Plan(Backend& backend, std::string name) : backend_(&backend), name_(std::move(name)) {
  static std::atomic<std::uint64_t> next_serial{0};
  serial_ = next_serial.fetch_add(1);
}

const char* Plan::phase_of(std::size_t step) const {
  return step < commit_begin_ ? "main" : step < readout_begin_ ? "commit" : "readout";
}

std::string Plan::text() const {
  std::ostringstream out;
  for (std::size_t i = 0; i < steps_.size(); ++i)
    out << i << " " << phase_of(i) << " " << steps_[i].name << " (" << first_operand_[i + 1] - first_operand_[i] << " operands)\n";
  out << "arena " << arena_bytes_ << " bytes\n";
  return out.str();
}

}  // namespace ranvier
