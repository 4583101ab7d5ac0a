#include "runtime/program.h"

#include <sstream>

#include "base/threading.h"

namespace ranvier {

bool Program::run() {
  const std::uint32_t seen = g_interrupts.load(std::memory_order_acquire);
  if (interrupted()) [[unlikely]] return false;
  for (std::size_t i = 0; i < commit_begin_; ++i) {
    steps_[i].run(steps_[i]);
    if (g_interrupts.load(std::memory_order_relaxed) != seen) [[unlikely]] return false;
  }
  for (std::size_t i = commit_begin_; i < readout_begin_; ++i) steps_[i].run(steps_[i]);
  return true;
}

void Program::readout() {
  for (std::size_t i = readout_begin_; i < steps_.size(); ++i) steps_[i].run(steps_[i]);
}

std::string Program::text() const {
  std::ostringstream out;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const char* phase = i < commit_begin_ ? "main" : i < readout_begin_ ? "commit" : "readout";
    out << i << " " << phase << " " << steps_[i].name << " (" << steps_[i].operands.size() << " operands)\n";
  }
  out << "arena " << arena_.size() << " bytes\n";
  return out.str();
}

}  // namespace ranvier
