//! Pages of ours from pages of Glue's, which may be empty and still not be the last.

use std::future::Future;

use tributary::{error::Error, store::Page};

use crate::glue::{self, Failure, LARGEST_PAGE};

/// Pages of Glue's that one request reads at most, however few of their items are wanted.
const MOST_PAGES: usize = 20;

/// Where a page of ours begins: so many items into the page of Glue's that a token leads to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Place {
    skip: usize,
    token: Option<String>,
}

impl Place {
    /// As it stands in a cursor, which is sealed: nobody else has written it.
    fn read(text: &str) -> Self {
        let (skip, token) = text.split_once(':').unwrap_or_default();
        Self {
            skip: skip.parse().unwrap_or_default(),
            token: Some(token)
                .filter(|token| !token.is_empty())
                .map(str::to_owned),
        }
    }

    fn write(&self) -> String {
        format!(
            "{}:{}",
            self.skip,
            self.token.as_deref().unwrap_or_default()
        )
    }
}

/// At most `limit` of the items that are wanted. It may be fewer although there are more.
pub(super) async fn gather<T, F>(
    limit: usize,
    after: Option<&str>,
    wants: impl Fn(&T) -> bool,
    fetch: impl Fn(usize, Option<String>) -> F,
) -> Result<Page<T>, Error>
where
    F: Future<Output = Result<glue::Page<T>, Failure>>,
{
    let mut place = after.map(Place::read).unwrap_or_default();
    let mut items = Vec::new();
    for _ in 0..MOST_PAGES {
        let page = fetch(LARGEST_PAGE, place.token.clone()).await?;
        let on_it = page.items.len();
        for (index, item) in page.items.into_iter().enumerate().skip(place.skip) {
            if wants(&item) {
                items.push(item);
            }
            if items.len() == limit && index + 1 < on_it {
                place.skip = index + 1;
                let next = Some(place.write());
                return Ok(Page { items, next });
            }
        }
        let Some(token) = page.next else {
            return Ok(Page { items, next: None });
        };
        place = Place {
            skip: 0,
            token: Some(token),
        };
        if items.len() == limit {
            break;
        }
    }
    let next = Some(place.write());
    Ok(Page { items, next })
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, ready};

    use super::*;

    /// Numbers in pages of Glue's.
    fn fetched(pages: &[&[u32]], token: Option<String>) -> Ready<Result<glue::Page<u32>, Failure>> {
        let at: usize = token.map_or(0, |token| token.parse().unwrap());
        let next = (at + 1 < pages.len()).then(|| (at + 1).to_string());
        let items = pages[at].to_vec();
        ready(Ok(glue::Page { items, next }))
    }

    async fn walk(pages: &[&[u32]], limit: usize, wants: impl Fn(&u32) -> bool) -> Vec<Vec<u32>> {
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let fetch = |_, token| fetched(pages, token);
            let page = gather(limit, after.as_deref(), &wants, fetch)
                .await
                .unwrap();
            all.push(page.items);
            after = page.next;
            if after.is_none() {
                return all;
            }
        }
    }

    #[tokio::test]
    async fn empty_pages_with_a_token_are_read_over() {
        let pages: [&[u32]; 4] = [&[], &[1, 2], &[], &[3]];
        assert_eq!(walk(&pages, 10, |_| true).await, [vec![1, 2, 3]]);
        assert_eq!(walk(&[&[]], 10, |_| true).await, [Vec::<u32>::new()]);
    }

    #[tokio::test]
    async fn pages_of_any_size_hold_every_item_once_and_in_order() {
        let pages: [&[u32]; 5] = [&[1, 2, 3], &[], &[4], &[5, 6, 7, 8], &[9]];
        for limit in 1..=10 {
            let found = walk(&pages, limit, |_| true).await;
            assert!(found.iter().all(|page| page.len() <= limit), "{found:?}");
            let all: Vec<u32> = found.into_iter().flatten().collect();
            assert_eq!(all, (1..=9).collect::<Vec<_>>(), "{limit}");
            let even = walk(&pages, limit, |number| number % 2 == 0).await;
            assert_eq!(even.into_iter().flatten().collect::<Vec<_>>(), [2, 4, 6, 8]);
        }
    }

    #[tokio::test]
    async fn a_request_ends_although_glue_goes_on() {
        let pages: Vec<&[u32]> = vec![&[]; MOST_PAGES + 5];
        let fetch = |_, token| fetched(&pages, token);
        let page = gather(10, None, |_| true, fetch).await.unwrap();
        assert_eq!(page.next.as_deref(), Some("0:20"));
    }
}
