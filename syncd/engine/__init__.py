"""The imperative shell, in straight lines: read, reconcile, provision; `cycle` is the whole product on one page.

The files in the order in which a run meets them::

    cycle         the run itself; `context` is what it carries along, `narrowing` what was asked for only
    leasing       one writer a connection: what is leased when, and what others may do meanwhile
    elapsed       how much time passed, as far as a clock can be believed
    rules         what is configured otherwise than last time, and what has to be done anew for it

    read          one connection, page by page into its `listing` (`reading`: what came of it)
    delta         from where on, where a provider can tell what changed; `passport`: under which circumstances alone
    resuming      a listing that was cut off goes on at its place
    ledger        records whose bytes are known
    records       new ones: parsed, mapped, keyed; `directory` and `columns`: whether they are of the right place and shape
    door          by which accounts enter the store, and what hangs on it
    observing     what moved of somebody's account, for the journal
    identify      a source's accounts become people (`joining`: by what); `reappearing`: a target's that were taken for gone are ours again
    opinions      what targets that have a say, say of people
    absence       who is missing is asked for (`fading`: where nobody can say, time does)
    tree          the containers accounts live in

    doubt         creates without an answer, settled first
    projecting    what each changed person should be at a target, as two fingerprints; `reowning`: who has an account of ours and no right
    reconcile     where they differ: decisions of core, as rows of the journal; `correlating` finds the accounts of newcomers;
                  `proving`: what listings say of leavers
    guarding      what of it may be sent (`restored`: after a backup took the store's place)
    containers    what their places need (`places`: who lives where)
    planning      the summary that a person reviews

    saved         a plan that was saved earlier enters here: its changes as those of a new run, after files were read again
    single        the account of each is asked for by itself (`visiting`: containers); `renewal` sends what would be planned just so

    still         whether what was planned of somebody is wanted when it is sent
    provision     requests, in the order of `phases`, each by `performing`; `renewal`: what grew old meanwhile is planned again;
                  `changes`: rows -> connector;
                  `sending`: how it goes
    commits       many small transactions in one
    settling      what an answer means for the store (`echoing`: what was written where opinions are asked for)
    reverting     a run taken back: another way to a plan
    concluding    a run is done with one connection, and gives it up
    report        what came of it all; `verify`: all of it recomputed, the slow way

    explain       outside of any run: the same questions and decisions about one person, nothing written; `past`: how they stood then;
                  `stranger`: an account that is nobody's; `assess`: everybody, by an expression

A change keeps its id from run to run as long as it is the same change (`reconcile._id`): that is how a release, a no and a doubt find it
again, though every run plans anew.
"""
