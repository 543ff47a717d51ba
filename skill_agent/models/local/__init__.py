"""The embedded models: llama.cpp in this process."""
