"""Asks a question and does something with the answer. Press Run, then type below."""

name = input("What is your name? ")
print(f"Hello, {name}.")

while True:
    answer = input("Give me a number (or nothing to stop): ")
    if not answer:
        break
    try:
        number = int(answer)
    except ValueError:
        print("That is not a whole number.")
        continue
    print(f"{number} squared is {number ** 2}.")

print("Bye.")
