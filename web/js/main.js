// The chat page starts here.
import { Chat } from './chat.js';
import { setUpThemeButton } from './shell.js';

setUpThemeButton();
await Chat.open();
document.body.dataset.ready = 'true';
