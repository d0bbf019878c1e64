# The settings of this project; the Makefile has the method's own below its head. Take the # away, or give them to make
# (make POLICY=../sft), or set them in the environment: make's command line goes before this file, this file before the
# environment. Files are named as seen from this folder, or in full.

# Prompts, responses or pairs to learn from, in any layout of real-records(5).
#DATA     = ../mine.jsonl
# What is never trained on: a share of DATA's prompts, or a file with scored responses.
#HELDOUT  = 10%
# The model to train: a folder or a hub name.
#POLICY   = meta-llama/Llama-3.1-8B-Instruct
# More options of real train-dpo, behind the method's.
#EXTRA    = --qlora --batch-tokens 4096
# A judge or editor: its server, its name there, the environment variable with its key. Without ENDPOINT, MODEL is a
# reward model.
#ENDPOINT = http://localhost:8000/v1
#MODEL    = qwen
#KEY      = OPENAI_API_KEY
# More options for it, such as its price, which make plan reckons with.
#ASKING   = --price 0.15,0.6 --concurrency 4
# The server that answers prompts with the policy of each round, started and stopped for each stage that samples.
#SERVE    = transformers serve
# Where models run, an HTML report of the evaluation, and the folder of this run.
#DEVICE   = cuda:1
#REPORT   = report.html
#O        = run
