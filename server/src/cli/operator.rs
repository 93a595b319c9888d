//! `embedenv operator`: a code by which somebody becomes an operator, for who has the server's machine.

use super::{CliError, Settings};
use crate::ledger::{Purpose, Token};

pub(super) async fn invite(settings: Settings) -> Result<(), CliError> {
    let config = settings.config(&[])?;
    let ledger = settings.ledger().await?;
    let code = ledger.mint_token(Purpose::Operator, &Token::default()).await?;
    ledger.close().await;
    println!(
        "who opens this within a day becomes an operator: {}/console#operator={code}",
        config.link_base(config.listen)
    );
    Ok(())
}
