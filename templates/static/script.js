const clock = document.querySelector('#clock');
const show = () => {
  clock.textContent = new Date().toLocaleTimeString();
};
show();
setInterval(show, 1000);
