const button = document.querySelector('#counter');
let count = 0;

function show() {
  button.textContent = count === 1 ? 'pressed once' : `pressed ${count} times`;
}

button.addEventListener('click', () => {
  count += 1;
  show();
});
show();
