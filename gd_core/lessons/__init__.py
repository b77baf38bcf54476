"""What one lesson computes, each under the name of its page."""
