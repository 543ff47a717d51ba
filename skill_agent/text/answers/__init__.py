"""What a person's answer to a question means: proceed, revise, cancel, or too little to say."""
