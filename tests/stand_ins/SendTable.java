import java.awt.EventQueue;
import java.awt.Window;
import javax.swing.JFrame;
import javax.swing.JMenu;
import javax.swing.JMenuBar;
import javax.swing.JMenuItem;

/** TOPCAT with a table, in which somebody chooses Interop > Send table to > PROGRAM: java SendTable.java TABLE PROGRAM. */
public class SendTable {
    public static void main(String[] args) throws Exception {
        uk.ac.starlink.topcat.Driver.main(new String[] {args[0]});
        for (int second = 0; second < 300; second++) {
            Thread.sleep(500);
            boolean[] sent = {false};
            EventQueue.invokeAndWait(() -> {
                for (Window window : Window.getWindows()) {
                    if (window instanceof JFrame && ((JFrame) window).getJMenuBar() != null) {
                        sent[0] |= choose(((JFrame) window).getJMenuBar(), args[1]);
                    }
                }
            });
            if (sent[0]) {
                System.out.println("SENT");
                return;
            }
        }
    }

    static boolean choose(JMenuBar bar, String program) {
        for (int i = 0; i < bar.getMenuCount(); i++) {
            JMenu menu = bar.getMenu(i);
            if (menu == null || !"Interop".equals(menu.getText())) continue;
            for (int j = 0; j < menu.getItemCount(); j++) {
                JMenuItem item = menu.getItem(j);
                if (!(item instanceof JMenu) || item.getText() == null) continue;
                if (!item.getText().toLowerCase().startsWith("send table to")) continue;
                JMenu programs = (JMenu) item;
                for (int k = 0; k < programs.getItemCount(); k++) {
                    JMenuItem one = programs.getItem(k);
                    if (one != null && one.getText() != null && one.getText().contains(program) && one.isEnabled()) {
                        one.doClick();
                        return true;
                    }
                }
            }
        }
        return false;
    }
}
